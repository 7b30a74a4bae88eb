// A button that asks the browser for a passkey. The exchange is the library's own script (mfa/js/webauthn.js);
// this binds it and says what went wrong. Without support in the browser the button goes away.

const FORMS = { login: "loginForm", authenticate: "authenticateForm", add: "addForm" };
const REASONS = {
  NotAllowedError: "That was cancelled, or took too long.",
  InvalidStateError: "This passkey is added already.",
  SecurityError: "Passkeys work only over HTTPS, at the address that they were made for.",
};

export default function passkey(button) {
  if (!window.PublicKeyCredential || !window.allauth?.webauthn) {
    (button.closest("[data-passkey-part]") ?? button).hidden = true;
    return undefined;
  }
  const { passkey: kind, credential, options } = button.dataset;
  // What the library calls passwordless is what makes a passkey: it signs in by itself.
  const ids = { [kind]: button.id, credential, data: options, passwordless: button.dataset.passwordless };
  window.allauth.webauthn.forms[FORMS[kind]]({ ids });

  const said = document.getElementById(button.getAttribute("aria-describedby"));
  const onError = (event) => {
    event.preventDefault();
    const problem = event.detail.exception;
    said.textContent = REASONS[problem.name] ?? "The passkey could not be used. Try again.";
    said.hidden = false;
  };
  document.addEventListener("allauth.error", onError);
  button.addEventListener("click", () => (said.hidden = true));
  return () => document.removeEventListener("allauth.error", onError);
}
