/** How long code takes: once (`%time`), or measured over many runs (`%timeit`). */

/** Starts a clock; the function that it returns reads it. */
export function clock(): () => { readonly wallMs: number; readonly cpuMs: number } {
  const cpu = process.cpuUsage()
  const started = performance.now()
  return () => {
    const wallMs = performance.now() - started
    const { user, system } = process.cpuUsage(cpu)
    return { wallMs, cpuMs: (user + system) / 1000 }
  }
}

/** A time with three digits and the unit that suits it. */
export function formatTime(ms: number): string {
  const units: readonly [string, number][] = [
    ['s', 1000],
    ['ms', 1],
    ['µs', 1e-3],
    ['ns', 1e-6],
  ]
  const [unit, size] = units.find(([, one]) => ms >= one) ?? units.at(-1)!
  return `${Number((ms / size).toPrecision(3))} ${unit}`
}

const rounds = 7
const roundMs = 200

/** Runs `code` in seven rounds of about 0.2 s (at least once each); the text tells mean and deviation of one run. */
export async function measure(code: () => unknown): Promise<string> {
  let loops = 1
  let tookMs = await round(code, loops)
  for (; tookMs < roundMs / 2; tookMs = await round(code, loops)) {
    loops *= Math.max(2, Math.min(10, Math.ceil(roundMs / Math.max(tookMs, 0.01))))
  }
  const times: number[] = []
  while (times.length < rounds) times.push((await round(code, loops)) / loops)
  const mean = times.reduce((sum, time) => sum + time, 0) / rounds
  const deviation = Math.sqrt(times.reduce((sum, time) => sum + (time - mean) ** 2, 0) / rounds)
  return `${formatTime(mean)} ± ${formatTime(deviation)} (${rounds} rounds of ${loops} ${loops === 1 ? 'run' : 'runs'})`
}

async function round(code: () => unknown, loops: number): Promise<number> {
  const started = performance.now()
  for (let n = 0; n < loops; n++) {
    const value = code()
    if (value instanceof Promise) await value
  }
  return performance.now() - started
}
