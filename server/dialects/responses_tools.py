"""Tools of /v1/responses: functions, namespaces of them, and custom tools that take a text.

The model is shown functions only: a namespace's as ``namespace__name``, a custom tool as one with a single string.
Tools that a model server would run (web_search, mcp) vLLM shows to gpt-oss alone, and a guarded request to none.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from server.dialects.closing import close_json
from server.dialects.reading import unsupported, wrong

Tool = dict[str, Any]

_TEXT_ONLY = {
    "type": "object",
    "properties": {"input": {"type": "string", "description": "The freeform text payload for this tool."}},
    "required": ["input"],
    "additionalProperties": False,
}
# The end of a JSON string where an escape, or the first half of a pair of them, waits for its rest.
_HALF_ESCAPE = re.compile(
    r"(?<!\\)(?P<whole>(?:\\\\)*)(?:\\u[dD][89abAB][0-9a-fA-F]{2})?(?:\\(?:u[0-9a-fA-F]{0,3})?)?$"
)
_FIELDS = ("name", "description", "parameters", "strict", "defer_loading")


def flat_name(namespace: str, name: str) -> str:
    """The name that the model sees."""
    return f"{namespace}__{name}"


def call_name(item: Tool) -> Any:
    """The name that the model saw, of a call among the input items."""
    namespace = item.get("namespace") if item.get("type") == "function_call" else None
    return flat_name(namespace, str(item.get("name"))) if isinstance(namespace, str) else item.get("name")


def chat_tools(tools: list[Any]) -> list[Tool]:
    """``tools`` as chat completions has them; those that the model server would have to run are left out.

    Raises:
        ApiError: 400 for what vLLM's own endpoint refuses as well.
    """
    return [function for i, tool in enumerate(tools) for function in _functions(tool, i)]


def _functions(tool: Any, index: int) -> list[Tool]:
    kind = tool.get("type") if isinstance(tool, dict) else None
    if kind == "function":
        return [_function(tool, tool.get("name"))]
    if kind == "custom":
        form = tool.get("format")
        if isinstance(form, dict) and form.get("type") == "grammar":
            raise unsupported(f"tools[{index}].format", "tools", "only custom tools that take free text are accepted.")
        return [_function({**tool, "parameters": _TEXT_ONLY}, tool.get("name"))]
    inner = tool.get("tools") if kind == "namespace" else None
    own = [t for t in inner if isinstance(t, dict) and t.get("type") == "function"] if isinstance(inner, list) else []
    return [_function(t, flat_name(str(tool.get("name")), str(t.get("name")))) for t in own]


def _function(tool: Tool, name: Any) -> Tool:
    given = {k: tool[k] for k in _FIELDS if tool.get(k) is not None}
    return {"type": "function", "function": {"description": None, "parameters": None} | given | {"name": name}}


def chat_tool_choice(choice: Any, tools: list[Any]) -> Any:
    """``tool_choice`` as chat completions has it.

    Raises:
        ApiError: 400 for a choice that chat completions does not know.
    """
    if choice is None:
        return "auto"
    if choice in ("auto", "none", "required"):
        return choice
    named = resolved_choice(choice, tools)
    if not isinstance(named, dict) or named.get("type") not in ("function", "custom") or not named.get("name"):
        raise unsupported("This 'tool_choice'", "tool_choice", "use auto, none, required or the name of a function.")
    return {"type": "function", "function": {"name": named["name"]}}


def resolved_choice(choice: Any, tools: Any) -> Any:
    """A named choice with the name that the model sees, as vLLM resolves it.

    Raises:
        ApiError: 400 where the name is in several namespaces, or nowhere.
    """
    if not isinstance(choice, dict) or choice.get("type") not in ("function", "custom"):
        return choice
    name = choice.get("name")
    known = [t for t in tools if isinstance(t, dict)] if isinstance(tools, list) else []
    if any(t.get("name") == name and t.get("type") != "namespace" for t in known):
        return choice
    spaces = [flat for flat, (_, own) in names(known).items() if name in (flat, own)]
    if len(spaces) != 1:
        raise wrong(f"tool_choice: {'several tools are' if spaces else 'no tool is'} named {name!r}.", "tool_choice")
    return {**choice, "name": spaces[0]}


def names(tools: Any) -> dict[str, tuple[str, str]]:
    """(namespace, name) by the name that the model sees, of functions in namespaces."""
    spaces = (
        [t for t in tools if isinstance(t, dict) and t.get("type") == "namespace"] if isinstance(tools, list) else []
    )
    return {
        flat_name(str(space.get("name")), str(tool.get("name"))): (str(space.get("name")), str(tool.get("name")))
        for space in spaces
        for tool in space.get("tools") or []
        if isinstance(tool, dict) and tool.get("type") == "function"
    }


def custom_names(tools: Any) -> frozenset[str]:
    """Names of the custom tools."""
    given = tools if isinstance(tools, list) else []
    return frozenset(str(t.get("name")) for t in given if isinstance(t, dict) and t.get("type") == "custom")


def custom_input(arguments: str) -> str:
    """The text that a custom tool is called with; arguments of another form are the text themselves."""
    found = _payload(arguments)
    return arguments if found is None else found


def custom_input_so_far(arguments: str) -> str:
    """As much of that text as is certain from arguments that break off: always a beginning of the whole."""
    begun = _HALF_ESCAPE.sub(r"\g<whole>", arguments)
    return _payload(begun + close_json(begun)) or ""


def _payload(arguments: str) -> str | None:
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return None
    found = value.get("input") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
