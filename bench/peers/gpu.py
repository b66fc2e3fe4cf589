"""The peers of bench/gpu.ts: `gpu.py jax|torch WORKLOAD STEPS` -> one line of JSON with the milliseconds a step.

Each network is written by hand as one would in that framework: JAX as one compiled step with donated state, PyTorch eager with
autocast. Adam, random data on the device (so they pay nothing for input), the loss read at the end.
"""

import json
import sys
import time

import numpy as np

framework, name, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
SHAPES = {
    "cnn-128": (128, (28, 28, 1)),
    "cnn-4096": (4096, (28, 28, 1)),
    "resnet20-512-bf16": (512, (32, 32, 3)),
    "lstm-256": (256, (100, 64)),
    "transformer-1024-bf16": (16, (512, 1024)),
}
rows, shape = SHAPES[name]
kind = name.split("-")[0]
LOW = name.endswith("bf16")
rng = np.random.default_rng(0)
x = rng.random((rows, *shape), dtype=np.float32)
y = rng.integers(0, 10, rows)


def jax_step():
    import jax
    import jax.numpy as jnp
    from jax import lax, nn

    low = jnp.bfloat16 if LOW else jnp.float32
    keys = iter(jax.random.split(jax.random.PRNGKey(0), 400))

    def init(*dims):
        fan = int(np.prod(dims[:-1]))
        return jax.random.normal(next(keys), dims) * (2 / fan) ** 0.5

    layout = ("NHWC", "HWIO", "NHWC")

    def conv(v, w, stride=1, padding="SAME"):
        return lax.conv_general_dilated(v.astype(low), w.astype(low), (stride, stride), padding, dimension_numbers=layout)

    def dense(v, w, b):
        return (v.astype(low) @ w.astype(low)) + b.astype(low)

    def norm(v, g, b, axes):
        v = v.astype(jnp.float32)
        mean, var = v.mean(axes, keepdims=True), v.var(axes, keepdims=True)
        return (v - mean) * lax.rsqrt(var + 1e-3) * g + b

    def pool(v):
        return lax.reduce_window(v, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    if kind == "cnn":
        weights = [init(3, 3, 1, 32), jnp.zeros(32), init(3, 3, 32, 64), jnp.zeros(64)]
        weights += [init(1600, 128), jnp.zeros(128), init(128, 10), jnp.zeros(10)]

        def apply(w, v):
            v = pool(nn.relu(conv(v, w[0], padding="VALID") + w[1]))
            v = pool(nn.relu(conv(v, w[2], padding="VALID") + w[3])).reshape(rows, -1)
            return dense(nn.relu(dense(v, w[4], w[5])), w[6], w[7])

    elif kind == "resnet20":
        weights, incoming = [], 3
        for width in (16, 32, 64):
            for _ in range(7):
                weights.append((init(3, 3, incoming, width), jnp.ones(width), jnp.zeros(width)))
                incoming = width
        weights.append((init(64, 10), jnp.zeros(10)))

        def apply(w, v):
            w = list(w)

            def block(v, stride=1):
                k, g, b = w.pop(0)
                return norm(conv(v, k, stride), g, b, (0, 1, 2))

            for stride in (1, 2, 2):
                v = nn.relu(block(v, stride))
                for _ in range(3):
                    v = nn.relu(v + block(nn.relu(block(v))))
            return dense(v.mean((1, 2)), *w.pop(0))

    elif kind == "lstm":
        weights = [init(64, 2048), init(512, 2048), jnp.zeros(2048), init(512, 10), jnp.zeros(10)]

        def apply(w, v):
            def cell(state, xw):
                h, c = state
                i, f, g, o = jnp.split(xw + h @ w[1], 4, -1)
                c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
                return (nn.sigmoid(o) * jnp.tanh(c), c), None

            zeros = jnp.zeros((rows, 512))
            (h, _), _ = lax.scan(cell, (zeros, zeros), (v @ w[0] + w[2]).transpose(1, 0, 2))
            return dense(h, w[3], w[4])

    else:
        weights = [init(1024, 1024) for _ in range(4)] + [jnp.zeros(1024) for _ in range(4)]
        weights += [init(1024, 4096), jnp.zeros(4096), init(4096, 1024), jnp.zeros(1024)]
        weights += [jnp.ones(1024), jnp.zeros(1024), jnp.ones(1024), jnp.zeros(1024), init(1024, 10), jnp.zeros(10)]

        def apply(w, v):
            heads = lambda t: t.reshape(rows, 512, 16, 64).transpose(0, 2, 1, 3)  # noqa: E731
            n = norm(v, w[12], w[13], -1)
            q, k, u = (heads(dense(n, w[i], w[4 + i])) for i in range(3))
            a = nn.softmax((q @ k.swapaxes(-1, -2)).astype(jnp.float32) / 8, -1).astype(low)
            v = v + dense((a @ u).transpose(0, 2, 1, 3).reshape(rows, 512, 1024), w[3], w[7])
            n = norm(v, w[14], w[15], -1)
            v = v + dense(nn.gelu(dense(n, w[8], w[9])), w[10], w[11])
            return dense(v.mean(1), w[16], w[17])

    def loss(w, v, t):
        logits = nn.log_softmax(apply(w, v).astype(jnp.float32))
        return -jnp.mean(jnp.take_along_axis(logits, t[:, None], 1))

    tree = jax.tree_util.tree_map

    def step(state, v, t):
        w, m, s, n = state
        value, g = jax.value_and_grad(loss)(w, v, t)
        n = n + 1
        m = tree(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        s = tree(lambda a, b: 0.999 * a + 0.001 * b * b, s, g)
        rate = 1e-3 * jnp.sqrt(1 - 0.999**n) / (1 - 0.9**n)
        w = tree(lambda a, b, c: a - rate * b / (jnp.sqrt(c) + 1e-7), w, m, s)
        return (w, m, s, n), value

    state = [(weights, tree(jnp.zeros_like, weights), tree(jnp.zeros_like, weights), jnp.zeros(()))]
    compiled = jax.jit(step, donate_argnums=0)
    data = (jnp.array(x), jnp.array(y))

    def run():
        state[0], value = compiled(state[0], *data)
        return value

    return run, lambda value: float(value)


def torch_step():
    import torch
    from torch import nn

    device = "cuda" if torch.cuda.is_available() else "cpu"

    class Last(nn.Module):
        def forward(self, out):
            return out[0][:, -1]

    class Residual(nn.Module):
        def __init__(self, *layers):
            super().__init__()
            self.inner = nn.Sequential(*layers)

        def forward(self, v):
            return v + self.inner(v)

    def conv(i, o, s=1):
        return [nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o)]

    def stage(i, o, s):
        blocks = [Residual(*conv(o, o), nn.ReLU(), *conv(o, o)) for _ in range(3)]
        return [*conv(i, o, s), nn.ReLU(), *[layer for block in blocks for layer in (block, nn.ReLU())]]

    class Mean(nn.Module):
        def __init__(self, dims):
            super().__init__()
            self.dims = dims

        def forward(self, v):
            return v.mean(self.dims)

    if kind == "cnn":
        layers = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)]
        net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10))
    elif kind == "resnet20":
        net = nn.Sequential(*stage(3, 16, 1), *stage(16, 32, 2), *stage(32, 64, 2), Mean((2, 3)), nn.Linear(64, 10))
    elif kind == "lstm":
        net = nn.Sequential(nn.LSTM(64, 512, batch_first=True), Last(), nn.Linear(512, 10))
    else:
        options = dict(dropout=0.0, activation="gelu", batch_first=True, norm_first=True)
        net = nn.Sequential(nn.TransformerEncoderLayer(1024, 16, 4096, **options), Mean(1), nn.Linear(1024, 10))
    net = net.to(device)
    images = len(shape) == 3
    data = torch.tensor(x.transpose(0, 3, 1, 2) if images else x, device=device)
    if images:
        net, data = net.to(memory_format=torch.channels_last), data.contiguous(memory_format=torch.channels_last)
    target = torch.tensor(y, device=device)
    optimiser = torch.optim.Adam(net.parameters(), 1e-3, fused=device == "cuda")
    torch.set_float32_matmul_precision("high")

    def run():
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=LOW):
            loss = nn.functional.cross_entropy(net(data).float(), target)
        loss.backward()
        optimiser.step()
        return loss

    return run, lambda loss: loss.item()


run, read = {"jax": jax_step, "torch": torch_step}[framework]()
for _ in range(20 if steps >= 20 else 1):
    value = run()
read(value)
began = time.perf_counter()
for _ in range(steps):
    value = run()
last = read(value)
print(json.dumps({"name": name, "stepMs": (time.perf_counter() - began) * 1000 / steps, "loss": last}))
