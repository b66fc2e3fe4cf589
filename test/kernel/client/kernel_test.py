"""Jupyter's own suite for kernels, with everything in it that a kernel may offer. `kernel_test.py KERNELS_FOLDER`."""
import os
import sys
import unittest

import jupyter_kernel_test
from jupyter_client.kernelspec import KernelSpecManager

kernels = sys.argv.pop(1)
os.environ["JUPYTER_PATH"] = os.path.dirname(kernels)
KernelSpecManager.kernel_dirs.default_args = ([kernels],)

host = "(globalThis as Record<symbol, any>)[Symbol.for('shardbook.host')]"


class ShardbookTests(jupyter_kernel_test.KernelTests):
    kernel_name = "shardbook"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oops')"
    completion_samples = [
        {"text": "Math.ab", "matches": {"abs"}},
        {"text": "'text'.toUpperC", "matches": {"toUpperCase"}},
        {"text": "parseF", "matches": {"parseFloat"}},
    ]
    complete_code_samples = ["1", "const a = { b: 1 }", "function f() { return 1 }", "await Promise.resolve(1)"]
    incomplete_code_samples = ["function f() {", "foo(1,", "`text", "[1, 2"]
    invalid_code_samples = ["const = 3", "}", "a b"]
    code_page_something = "Math?"
    code_generate_error = "throw new Error('oh')"
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "'a' + 'b'", "result": "'ab'"},
        {"code": "[1, 2].map((n) => n * 2)", "result": "[ 2, 4 ]"},
        {"code": "({ [Symbol.for('Jupyter.display')]: () => ({ 'text/html': '<b>x</b>' }) })", "mime": "text/html"},
    ]
    code_display_data = [
        {"code": f"{host}.publish({{ 'text/html': '<b>x</b>' }})", "mime": "text/html"},
        {"code": "import { display } from 'shardbook'\nawait display({ a: 1 })", "mime": "text/plain"},
    ]
    code_history_pattern = "6 ?*7*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Math.abs"
    code_clear_output = f"{host}.clearOutput({{ wait: true }})"


class ShardbookIopubWelcomeTests(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "shardbook"
    support_iopub_welcome = True


if __name__ == "__main__":
    # The suite's own classes are imported by name nowhere here, so only these two run: 13 tests, none skipped.
    unittest.main(verbosity=2)
