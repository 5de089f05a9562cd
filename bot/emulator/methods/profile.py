"""Menus and texts about the bot."""

from __future__ import annotations

from bot.emulator.commands import checked_commands, scope_key
from bot.emulator.errors import Json, bad_request
from bot.emulator.methods.shared import Method, Shared
from bot.emulator.params import Params


class Describing(Shared):
    """Menus and texts about the bot."""

    def methods(self) -> tuple[Method, ...]:
        """The methods of this subject."""
        return (
            self.set_my_commands,
            self.get_my_commands,
            self.delete_my_commands,
            self.set_my_name,
            self.get_my_name,
            self.set_my_description,
            self.get_my_description,
            self.set_my_short_description,
            self.get_my_short_description,
            self.set_chat_menu_button,
            self.get_chat_menu_button,
        )

    def set_my_commands(self, params: Params) -> bool:
        """The command menu of a scope and a language."""
        key = self._menu(params)
        self.profile.menus[key] = checked_commands(params.items("commands"))
        self.world.tell({"kind": "commands"})
        return True

    def get_my_commands(self, params: Params) -> list[Json]:
        """Exactly what was set for this scope and language."""
        return self.profile.menus.get(self._menu(params), [])

    def delete_my_commands(self, params: Params) -> bool:
        """Delete a scope's menu, so that a wider one's is shown."""
        self.profile.menus.pop(self._menu(params), None)
        self.world.tell({"kind": "commands"})
        return True

    def _menu(self, params: Params) -> tuple[tuple[str, int, int], str]:
        scope = params.mapping("scope")
        if "chat_id" in scope:  # which may be a @name here too
            scope = scope | {"chat_id": self.world.known_chat(self.chat_id(Params(scope))).id}
        return scope_key(scope), params.text("language_code")

    def set_my_name(self, params: Params) -> bool:
        """The bot's name in a language."""
        return self._set_text(params, "name")

    def get_my_name(self, params: Params) -> Json:
        """The name, which nobody may be without."""
        return {
            "name": self.profile.text("name", params.text("language_code"))
            or self.world.bot.first_name
        }

    def set_my_description(self, params: Params) -> bool:
        """Set the text that an empty chat shows."""
        return self._set_text(params, "description")

    def get_my_description(self, params: Params) -> Json:
        """The text that an empty chat shows."""
        return {"description": self.profile.text("description", params.text("language_code"))}

    def set_my_short_description(self, params: Params) -> bool:
        """Set the text that the bot's profile shows."""
        return self._set_text(params, "short_description")

    def get_my_short_description(self, params: Params) -> Json:
        """The text that the bot's profile shows."""
        return {
            "short_description": self.profile.text(
                "short_description", params.text("language_code")
            )
        }

    def _set_text(self, params: Params, name: str) -> bool:
        self.profile.set_text(name, params.text("language_code"), params.text(name))
        self.world.tell({"kind": "profile"})
        return True

    def set_chat_menu_button(self, params: Params) -> bool:
        """Set the button beside the input, of one chat or of all that have none of their own."""
        button = params.mapping("menu_button") or {"type": "default"}
        if button.get("type") not in {"commands", "web_app", "default"}:
            raise bad_request("unsupported type specified")
        # 0 is no chat: under it stands what all chats have that have none of their own
        self.profile.buttons[params.count("chat_id", 0)] = button
        return True

    def get_chat_menu_button(self, params: Params) -> Json:
        """The button beside the input."""
        # until somebody sets it, a bot with commands has their menu there
        common = self.profile.buttons.get(0, {"type": "commands"})
        return self.profile.buttons.get(params.count("chat_id", 0), common)
