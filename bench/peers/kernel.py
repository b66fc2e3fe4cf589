"""A Jupyter client as a peer process: one question a line, one JSON answer a line. The kernel's command is the arguments.

`start` spawns the kernel and answers with the milliseconds to its `kernel_info_reply`, which is when clients call it ready;
`first`, with those to the reply of the first typed cell, which was sent at once; `cells N`, `tensors N`, `member N` and
`identifier N` answer with a list of milliseconds; `import` loads TensorFlow.js; `interrupt N` answers with
the milliseconds from each interrupt of an endless loop to its reply; `memory` with the MiB of all its processes (PSS).
"""
import json
import os
import sys
import time

import psutil
from jupyter_client.manager import KernelManager
from jupyter_client.kernelspec import KernelSpec

signals, folder, *command = sys.argv[1:]
manager = client = first = None
counter = 0


def start():
    global manager, client, first
    stop()
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=command, language="typescript", display_name="peer", interrupt_mode=signals)
    began = time.perf_counter()
    manager.start_kernel(cwd=folder, stderr=open(os.devnull, "w"), stdout=open(os.devnull, "w"))
    client = manager.client()
    client.start_channels()
    # A request sent before the kernel listens is kept by the socket; outputs before the subscription are lost.
    info, cell = client.kernel_info(), client.execute("const first: number = 1\nfirst + 1")
    reply(client.shell_channel, info, 120)
    took = milliseconds(began)
    content = reply(client.shell_channel, cell, 120)
    first = milliseconds(began)
    if content["status"] != "ok":
        raise RuntimeError(json.dumps(content))
    client.wait_for_ready(timeout=60)
    return took


def stop():
    global manager, client
    if manager is None:
        return
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager = client = None


def milliseconds(began):
    return (time.perf_counter() - began) * 1000


def reply(channel, message_id, timeout=60):
    while True:
        message = channel.get_msg(timeout=timeout)
        if message["parent_header"].get("msg_id") == message_id:
            return message["content"]


def drain(message_id, timeout=60):
    while True:
        message = client.get_iopub_msg(timeout=timeout)
        if (
            message["msg_type"] == "status"
            and message["content"]["execution_state"] == "idle"
            and message["parent_header"].get("msg_id") == message_id
        ):
            return


def execute(code, timeout=60):
    began = time.perf_counter()
    message_id = client.execute(code)
    content = reply(client.shell_channel, message_id, timeout)
    took = milliseconds(began)
    drain(message_id)
    if content["status"] != "ok":
        raise RuntimeError(f"{code}: expected ok, got {json.dumps(content)[:2000]}")
    return took


def timed(count, code):
    """Runs `code(n)` for fresh numbers n; the milliseconds of each."""
    global counter
    took = []
    for _ in range(count):
        counter += 1
        took.append(execute(code(counter)))
    return took


def typed_cell(n):
    return (
        f"interface Point{n} {{ x: number; y: number }}\n"
        f"const p{n}: Point{n} = {{ x: {n}, y: 2 }}\n"
        f"const f{n} = (p: Point{n}): number => p.x + p.y\n"
        f"f{n}(p{n})"
    )


def tensor_cell(n):
    return (
        f"const t{n} = tf.tensor1d([1, 2, {n}])\n"
        f"const s{n}: number = tf.sum(tf.square(t{n})).dataSync()[0]!\n"
        f"s{n}"
    )


def complete(code, expected, count):
    took = []
    for _ in range(count):
        began = time.perf_counter()
        content = reply(client.shell_channel, client.complete(code, len(code)))
        took.append(milliseconds(began))
        if expected not in [match.split(".")[-1].strip() for match in content["matches"]]:
            return None  # this kernel does not complete it
    return took


def interrupt(count):
    took = []
    for _ in range(count):
        message_id = client.execute("while (true) {}")
        while True:
            message = client.get_iopub_msg(timeout=10)
            if message["msg_type"] == "execute_input" and message["parent_header"].get("msg_id") == message_id:
                break
        time.sleep(0.15)
        began = time.perf_counter()
        manager.interrupt_kernel()
        try:
            reply(client.shell_channel, message_id, 5)
        except Exception:
            return None  # it did not come back
        took.append(milliseconds(began))
        drain(message_id)
    execute("if (first !== 1) throw new Error('state lost')")
    return took


def memory():
    process = psutil.Process(manager.provisioner.process.pid)
    total = 0
    for one in [process, *process.children(recursive=True)]:
        try:
            total += one.memory_full_info().pss
        except psutil.NoSuchProcess:
            pass
    return total / 2**20


answers = {
    "start": start,
    "first": lambda: first,
    "cells": lambda count: timed(count, typed_cell),
    "tensors": lambda count: timed(count, tensor_cell),
    "import": lambda: execute("import * as tf from '@tensorflow/tfjs'", 120),
    "member": lambda count: complete("const list = [1, 2, 3]\nlist.fla", "flatMap", count),
    "identifier": lambda count: complete("setTi", "setTimeout", count),
    "interrupt": interrupt,
    "memory": memory,
}
print("READY", flush=True)
for line in sys.stdin:
    name, *count = line.split()
    try:
        answer = answers[name](*map(int, count))
    except Exception as error:
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
stop()
