"""Messages against Jupyter's specification (protocol 5.5): the content of every message that a kernel may send, exactly.

https://jupyter-client.readthedocs.io/en/stable/messaging.html. A schema lists all keys that the kernel may use; `required`
defaults to all of them, so that a missing key and an unknown one both fail.
"""
import re
from datetime import datetime

from jsonschema import Draft202012Validator

text = {"type": "string"}
count = {"type": "integer", "minimum": 0}
flag = {"type": "boolean"}
mapping = {"type": "object"}
texts = {"type": "array", "items": text}
bundle = {"type": "object", "propertyNames": {"pattern": r"^[\w.+-]+/[\w.+-]+$"}}
error = {"ename": text, "evalue": text, "traceback": texts}


def exactly(properties, optional=()):
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def reply(properties, optional=(), on_error=None):
    ok = exactly({"status": {"const": "ok"}, **properties}, optional)
    failed = exactly({"status": {"const": "error"}, **error, **(on_error or {})})
    return {"if": {"properties": {"status": {"const": "error"}}}, "then": failed, "else": ok}


payload = {
    "oneOf": [
        exactly({"source": {"const": "page"}, "data": bundle, "start": count}),
        exactly({"source": {"const": "set_next_input"}, "text": text, "replace": flag}),
    ]
}
expression = {
    "oneOf": [
        exactly({"status": {"const": "ok"}, "data": bundle, "metadata": mapping}),
        exactly({"status": {"const": "error"}, **error}),
    ]
}
ran = {
    "execution_count": count,
    "user_expressions": {"type": "object", "additionalProperties": expression},
    "payload": {"type": "array", "items": payload},
}
language = exactly(
    {
        "name": text,
        "version": text,
        "mimetype": text,
        "file_extension": {"type": "string", "pattern": r"^\.\w+$"},
        "pygments_lexer": text,
        "codemirror_mode": {"type": ["string", "object"]},
        "nbconvert_exporter": text,
    }
)
link = exactly({"text": text, "url": {"type": "string", "pattern": "^https://"}})
shown = {"data": bundle, "metadata": mapping}
typed = exactly({"text": text, "type": text, "signature": text, "documentation": text, "start": count, "end": count}, ["signature", "documentation"])

contents = {
    "execute_reply": {
        "if": {"properties": {"status": {"const": "aborted"}}},
        "then": exactly({"status": {"const": "aborted"}, "execution_count": count}),
        "else": reply(ran, on_error=ran),
    },
    "inspect_reply": reply({"found": flag, **shown}),
    "complete_reply": reply(
        {
            "matches": texts,
            "cursor_start": count,
            "cursor_end": count,
            "metadata": {"type": "object", "properties": {"_jupyter_types_experimental": {"type": "array", "items": typed}}},
        }
    ),
    "history_reply": reply(
        {
            "history": {
                "type": "array",
                "items": {
                    "type": "array",
                    "prefixItems": [count, count, {"type": ["string", "array"]}],
                    "minItems": 3,
                    "maxItems": 3,
                },
            }
        }
    ),
    "is_complete_reply": {
        "oneOf": [
            exactly({"status": {"enum": ["complete", "invalid", "unknown"]}}),
            exactly({"status": {"const": "incomplete"}, "indent": text}),
        ]
    },
    "comm_info_reply": reply({"comms": {"type": "object", "additionalProperties": exactly({"target_name": text})}}),
    "kernel_info_reply": reply(
        {
            "protocol_version": {"const": "5.5"},
            "implementation": text,
            "implementation_version": text,
            "language_info": language,
            "banner": text,
            "debugger": flag,
            "help_links": {"type": "array", "items": link},
            "supported_features": texts,
        }
    ),
    "interrupt_reply": reply({}),
    "shutdown_reply": reply({"restart": flag}),
    "create_subshell_reply": reply({"subshell_id": text}),
    "delete_subshell_reply": reply({}),
    "list_subshell_reply": reply({"subshell_id": texts}),
    "debug_reply": exactly(
        {
            "type": {"const": "response"},
            "seq": count,
            "request_seq": {},
            "command": text,
            "success": flag,
            "message": text,
            "body": mapping,
        },
        ["message", "request_seq"],
    ),
    "status": exactly({"execution_state": {"enum": ["busy", "idle", "starting"]}}),
    "execute_input": exactly({"code": text, "execution_count": count}),
    "stream": exactly({"name": {"enum": ["stdout", "stderr"]}, "text": text}),
    "display_data": exactly({**shown, "transient": exactly({"display_id": text}, ["display_id"])}),
    "update_display_data": exactly({**shown, "transient": exactly({"display_id": text})}),
    "execute_result": exactly({"execution_count": count, **shown}),
    "error": exactly(error),
    "clear_output": exactly({"wait": flag}),
    "comm_open": exactly({"comm_id": text, "target_name": text, "data": {}}),
    "comm_msg": exactly({"comm_id": text, "data": {}}),
    "comm_close": exactly({"comm_id": text, "data": {}}),
    "debug_event": exactly({"type": {"const": "event"}, "seq": count, "event": text, "body": mapping}),
    "iopub_welcome": exactly({"subscription": text}),
    "input_request": exactly({"prompt": text, "password": flag}),
}
validators = {name: Draft202012Validator(schema) for name, schema in contents.items()}
header_keys = {"msg_id", "session", "username", "date", "msg_type", "version"}


def check(message):
    """What is wrong with a message, as a list of sentences."""
    kind = message["header"]["msg_type"]
    wrong = []
    missing = header_keys - set(message["header"])
    if missing:
        wrong.append(f"{kind}: its header lacks {sorted(missing)}")
    if not re.match(r"^5\.5$", str(message["header"].get("version"))):
        wrong.append(f"{kind}: its version is {message['header'].get('version')}")
    if not isinstance(message["header"].get("date"), datetime):
        wrong.append(f"{kind}: its date is not one: {message['header'].get('date')}")
    if not isinstance(message["metadata"], dict) or not isinstance(message["parent_header"], dict):
        wrong.append(f"{kind}: metadata or parent_header is no object")
    if kind not in validators:
        return [*wrong, f"{kind}: no such message is known"]
    for failure in validators[kind].iter_errors(message["content"]):
        path = "/".join(str(one) for one in failure.absolute_path)
        wrong.append(f"{kind}: {path}: {failure.message[:300]}")
    return wrong
