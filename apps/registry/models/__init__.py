from apps.registry.models.app import App
from apps.registry.models.function import Function, FunctionVersion
from apps.registry.models.sync import Sync

__all__ = ["App", "Function", "FunctionVersion", "Sync"]
