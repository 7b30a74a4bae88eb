// A link that is followed by itself.

export default function go(link) {
  location.replace(link.href);
}
