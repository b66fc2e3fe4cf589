"""The networks of bench/engine.ts in JAX: functions of a list of weights, one compiled step with Adam."""

import numpy as np

EPSILON = 1e-7


def pair(value):
    return [value, value] if isinstance(value, int) else value


class Jax:
    def __init__(self, workload):
        import jax

        self.jax, self.workload = jax, workload
        gradients = jax.value_and_grad(self.loss)

        def step(state, x, y):
            weights, first, second, t = state
            loss, g = gradients(weights, x, y)
            t = t + 1
            first = [0.9 * m + 0.1 * a for m, a in zip(first, g)]
            second = [0.999 * v + 0.001 * a * a for v, a in zip(second, g)]
            rate = workload.rate * jax.numpy.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            weights = [w - rate * m / (jax.numpy.sqrt(v) + EPSILON) for w, m, v in zip(weights, first, second)]
            return (weights, first, second, t), loss

        zeros = [jax.numpy.zeros_like(w) for w in workload.weights]
        self.state = ([jax.numpy.array(w) for w in workload.weights], zeros, [z + 0 for z in zeros], jax.numpy.zeros(()))
        self.compiled = jax.jit(step, donate_argnums=0)
        self.data = [tuple(jax.numpy.array(a) for a in pair) for pair in workload.batches()]
        self.done = 0

    def step(self):
        x, y = self.data[self.done % len(self.data)]
        self.done += 1
        self.state, loss = self.compiled(self.state, x, y)
        return float(loss)

    def loss(self, weights, x, y):
        jnp, nn = self.jax.numpy, self.jax.nn
        z, rest = x, list(weights)
        for described in self.workload.layers:
            z = self.apply(described["kind"], described["options"], z, rest)
        if self.workload.loss == "softmaxCrossEntropy":
            return -jnp.mean(jnp.take_along_axis(nn.log_softmax(z), y[:, None], 1))
        if self.workload.loss == "binaryCrossEntropy":
            return jnp.mean(jnp.maximum(z, 0) - z * y + jnp.log1p(jnp.exp(-jnp.abs(z))))
        return jnp.mean((z - y) ** 2)

    def apply(self, kind, o, x, rest):
        lax, jnp, nn = self.jax.lax, self.jax.numpy, self.jax.nn
        padding = o.get("padding", "valid").upper()
        strides = pair(o.get("strides", 1))
        layout = ("NHWC", "HWIO", "NHWC")
        if kind == "flatten":
            return x.reshape(len(x), -1)
        if kind == "maxPooling2d":
            size = (1, *pair(o.get("poolSize", 2)), 1)
            return lax.reduce_window(x, -jnp.inf, lax.max, size, size, padding)
        if kind == "lstm":
            return self.lstm(x, *[rest.pop(0) for _ in range(3)])
        if kind == "gru":
            return self.gru(x, *[rest.pop(0) for _ in range(3)])
        w, b = rest.pop(0), rest.pop(0)
        if kind == "conv2d":
            z = lax.conv_general_dilated(x, w, strides, padding, dimension_numbers=layout) + b
        elif kind == "conv2dTranspose":
            z = lax.conv_transpose(x, w, strides, padding, dimension_numbers=layout, transpose_kernel=True) + b
        else:
            z = x @ w + b
        return {"relu": nn.relu, "sigmoid": nn.sigmoid}.get(o.get("activation"), lambda v: v)(z)

    def lstm(self, x, w, u, b):
        jnp, nn = self.jax.numpy, self.jax.nn

        def cell(state, xw):
            h, c = state
            i, f, g, o = jnp.split(xw + h @ u, 4, -1)
            c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
            h = nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), None

        zeros = jnp.zeros((len(x), u.shape[0]))
        return self.jax.lax.scan(cell, (zeros, zeros), (x @ w + b).transpose(1, 0, 2))[0][0]

    def gru(self, x, w, u, b):
        jnp, nn = self.jax.numpy, self.jax.nn

        def cell(h, xw):
            xz, xr, xh = jnp.split(xw, 3, -1)
            hz, hr, hh = jnp.split(h @ u + b[1], 3, -1)
            z, r = nn.sigmoid(xz + hz), nn.sigmoid(xr + hr)
            return z * h + (1 - z) * jnp.tanh(xh + r * hh), None

        zeros = jnp.zeros((len(x), u.shape[0]))
        return self.jax.lax.scan(cell, zeros, (x @ w + b[0]).transpose(1, 0, 2))[0]
