"""A real Jupyter client for the tests: one JSON command a line on stdin, one JSON answer a line on stdout.

Every command starts with a fresh look at the sockets; messages on iopub are sorted by the request that they name as parent.
"""
import base64
import json
import os
import sys
import threading
import time

from jupyter_client.manager import KernelManager
from jupyter_client.session import Session

from message_spec import check, contents

manager = None
client = None
seen, wrong = set(), []


def watch(session):
    """Has every message that arrives checked against the specification."""
    deserialize = session.deserialize

    def checked(*arguments, **options):
        message = deserialize(*arguments, **options)
        seen.add(message["header"]["msg_type"])
        wrong.extend(one for one in check(message) if one not in wrong)
        return message

    if deserialize.__name__ != "checked":
        session.deserialize = checked


def specification(command):
    """Which messages came that were wrong, and which kinds of messages never came."""
    return {"wrong": wrong, "unseen": sorted(set(contents) - seen)}



def start(command):
    global manager, client
    from jupyter_client.kernelspec import KernelSpecManager

    specs = KernelSpecManager(kernel_dirs=[command["kernels"]], ensure_native_kernel=False)
    manager = KernelManager(kernel_name="shardbook", kernel_spec_manager=specs)
    manager.start_kernel(cwd=command["cwd"], stderr=open(command["log"], "w"), env={**os.environ, **command["env"]})
    connect()
    return {"pid": manager.provisioner.process.pid}


def connect():
    global client
    client = manager.client()
    watch(client.session)
    client.start_channels()
    client.wait_for_ready(timeout=60)


def ask(command):
    """Sends a request; answers with the reply and all iopub messages up to its idle."""
    channel = client.control_channel if command.get("channel") == "control" else client.shell_channel
    message = client.session.msg(command["type"], command.get("content", {}), metadata=command.get("metadata"))
    message["header"].update(command.get("header", {}))
    message["buffers"] = [base64.b64decode(one) for one in command.get("buffers", [])]
    started = time.monotonic()
    client.session.send(channel.socket, message, buffers=message["buffers"])
    parent = message["header"]["msg_id"]
    interrupted, idle, reply, reply_time = None, False, None, None

    def interrupt():
        nonlocal interrupted
        interrupted = time.monotonic()
        manager.interrupt_kernel()

    interrupt_at = command.get("interruptAt")
    if "interruptAfterMs" in command and interrupt_at is None:
        threading.Timer(command["interruptAfterMs"] / 1000, interrupt).start()
    iopub, strangers, questions = [], [], []
    deadline = started + command.get("timeoutMs", 100000) / 1000
    while time.monotonic() < deadline and not (idle and (reply or not command["type"].endswith("_request"))):
        while client.stdin_channel.msg_ready():
            question = client.stdin_channel.get_msg(timeout=1)
            questions.append({"content": question["content"], "isOurs": question["parent_header"].get("msg_id") == parent})
            client.input(command["answers"][len(questions) - 1])
        if reply is None and channel.msg_ready():
            got = channel.get_msg(timeout=1)
            if got["parent_header"].get("msg_id") == parent:
                reply = got
                reply_time = time.monotonic()
        if client.iopub_channel.msg_ready():
            got = client.iopub_channel.get_msg(timeout=1)
            entry = {"type": got["msg_type"], "content": got["content"], "parent": got["parent_header"].get("msg_id")}
            if got["buffers"]:
                entry["buffers"] = [base64.b64encode(bytes(one)).decode() for one in got["buffers"]]
            entry |= {"metadata": got["metadata"]} if got["metadata"] else {}
            if got["parent_header"].get("msg_id") != parent:
                strangers.append(entry)
                continue
            iopub.append(entry)
            if interrupt_at is not None and got["msg_type"] != "execute_input" and interrupt_at in json.dumps(got["content"], ensure_ascii=False):
                threading.Timer(command.get("interruptAfterMs", 0) / 1000, interrupt).start()
                interrupt_at = None
            idle = got["msg_type"] == "status" and got["content"]["execution_state"] == "idle"
        else:
            time.sleep(0.002)
    return {
        "reply": None if reply is None else {"type": reply["msg_type"], "content": reply["content"], "version": reply["header"]["version"]},
        "id": parent,
        "iopub": iopub,
        "strangers": strangers,
        "questions": questions,
        "ms": None if reply_time is None else (reply_time - (interrupted or started)) * 1000,
    }


def during(command):
    """Sends a message while a cell runs that has printed something; answers with what each of the two printed."""
    cell = client.execute(command["code"])
    other, printed, idle = None, {cell: []}, set()
    while len(idle) < 2:
        got = client.iopub_channel.get_msg(timeout=30)
        parent = got["parent_header"].get("msg_id")
        if parent not in printed:
            continue
        if got["msg_type"] == "stream":
            printed[parent].append(got["content"]["text"])
            if other is None:
                message = client.session.msg(command["type"], command["content"])
                message["header"].update(command.get("header", {}))
                client.session.send(client.shell_channel.socket, message)
                other = message["header"]["msg_id"]
                printed[other] = []
        elif got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
            idle.add(parent)
    return {"cell": printed[cell], "other": printed[other]}


def debug(command):
    """Runs a cell under the debugger; whenever it stands, sends the next list of debug requests."""
    cell = client.execute(command["code"])
    waiting, stops, events, printed, reply, idle = list(command["stops"]), [], [], [], None, False
    while not (idle and reply):
        got = client.iopub_channel.get_msg(timeout=5)
        content = got["content"]
        if got["msg_type"] == "debug_event":
            events.append({"event": content["event"], "body": content.get("body", {})})
            if content["event"] == "stopped":
                stops.append(debug_requests(waiting.pop(0)))
        elif got["parent_header"].get("msg_id") == cell:
            if got["msg_type"] == "stream":
                printed.append(content["text"])
            idle = got["msg_type"] == "status" and content["execution_state"] == "idle"
            if idle:
                message = client.get_shell_msg(timeout=5)
                reply = {"type": message["msg_type"], "content": message["content"]}
    return {"stops": stops, "events": events, "printed": "".join(printed), "reply": reply}


def debug_requests(requests):
    """Answers by command; a reference given as a name is that of the scope with this name."""
    answers = {}
    for name, arguments in requests:
        arguments = dict(arguments)
        reference = arguments.get("variablesReference")
        if isinstance(reference, str):
            scopes = answers["scopes"]["body"]["scopes"]
            arguments["variablesReference"] = next(one["variablesReference"] for one in scopes if one["name"] == reference)
        content = {"type": "request", "seq": 1, "command": name, "arguments": arguments}
        client.control_channel.send(client.session.msg("debug_request", content))
        answer = client.control_channel.get_msg(timeout=5)["content"]
        answers[f"{name}:{arguments['expression']}" if name in answers else name] = answer
    return answers


def queue(command):
    """Sends several execute requests at once; answers with the statuses of their replies, in the order asked for."""
    stop = command.get("stop", True)
    ids = [client.execute(code, stop_on_error=stop) for code in command["codes"]]
    statuses = {}
    while len(statuses) < len(ids):
        reply = client.get_shell_msg(timeout=30)
        statuses[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
    return [statuses[one] for one in ids]


def forge(command):
    """Sends a request that is signed with another key, or one valid request twice; says how many replies came."""
    own = client.session
    session = own
    if command["how"] == "key":
        session = Session(key=b"another", signature_scheme="hmac-sha256")
    frames = session.serialize(session.msg("kernel_info_request"))
    stream = client.shell_channel.socket
    how = command["how"]
    if how == "frames":
        frames = [b"<IDS|MSG>", b"nonsense"]
    elif how == "delimiter":
        frames = [b"nonsense"] * 8
    elif how == "empty":
        frames = [b""]
    elif how == "json":
        parts = [b"{", b"{}", b"{}", b"{}"]
        frames = [b"<IDS|MSG>", own.sign(parts), *parts]
    elif how == "types":
        parts = [b'{"msg_id": 1, "session": [], "msg_type": {}}', b"{}", b"{}", b"{}"]
        frames = [b"<IDS|MSG>", own.sign(parts), *parts]
    elif how == "unknown":
        frames = own.serialize(own.msg("no_such_request"))
    elif how == "utf8":
        parts = [own.pack(own.msg_header("kernel_info_request")), b"{}", b"{}", b'{"a": "\xff\xfe"}']
        frames = [b"<IDS|MSG>", own.sign(parts), *parts]
    stream.send_multipart(frames)
    if command["how"] == "replay":
        stream.send_multipart(frames)
    # A good request afterwards: what was dropped would have been answered before it.
    last = client.kernel_info()
    replies = 0
    while True:
        reply = client.get_shell_msg(timeout=30)
        if reply["parent_header"]["msg_id"] == last:
            return {"replies": replies}
        replies += 1


def flood(command):
    """Sends many requests at once; says how many replies came, in which order, and how often each was busy and idle."""
    ids = [client.session.msg(command["type"], command["content"]) for _ in range(command["times"])]
    for message in ids:
        client.session.send(client.shell_channel.socket, message)
    wanted = [message["header"]["msg_id"] for message in ids]
    states = {one: [] for one in wanted}
    replies, idles = [], 0
    while len(replies) < len(wanted) or idles < len(wanted):
        while client.shell_channel.msg_ready():
            replies.append(client.get_shell_msg(timeout=1)["parent_header"]["msg_id"])
        if client.iopub_channel.msg_ready():
            got = client.iopub_channel.get_msg(timeout=1)
            parent = got["parent_header"].get("msg_id")
            if got["msg_type"] == "status" and parent in states:
                states[parent].append(got["content"]["execution_state"])
                idles += got["content"]["execution_state"] == "idle"
        else:
            time.sleep(0.001)
    return {"inOrder": replies == wanted, "replies": len(replies), "framed": sum(one == ["busy", "idle"] for one in states.values())}


def count(command):
    """Runs a cell and adds up what it sends: its output may be too much to pass on."""
    cell = client.execute(command["code"])
    chars, largest = 0, 0
    while True:
        got = client.iopub_channel.get_msg(timeout=60)
        if got["parent_header"].get("msg_id") != cell:
            continue
        content = got["content"]
        if got["msg_type"] == "stream":
            chars += len(content["text"])
        elif got["msg_type"] == "display_data":
            largest = max(largest, len(content["data"]["text/plain"]))
        elif got["buffers"]:
            largest = max(largest, len(got["buffers"][0]))
        elif content.get("execution_state") == "idle":
            return {"printed": chars, "largest": largest, "status": client.get_shell_msg(timeout=30)["content"]["status"]}


def connection(command):
    """Who may read the connection file."""
    return {"mode": os.stat(manager.connection_file).st_mode & 0o777}


def shutdown(command):
    pid = manager.provisioner.process.pid
    manager.shutdown_kernel(restart=False)
    client.stop_channels()
    return {"pid": pid}


def restart(command):
    client.stop_channels()
    manager.restart_kernel()
    connect()
    return {"pid": manager.provisioner.process.pid}


def heartbeat(command):
    return {"beats": client.hb_channel.is_beating()}


commands = {one.__name__: one for one in (start, ask, during, debug, connection, queue, specification, flood, count, forge, shutdown, restart, heartbeat)}
for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = {"answer": commands[command["do"]](command)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer, default=str), flush=True)
if manager is not None and manager.has_kernel:
    manager.shutdown_kernel(now=True)
