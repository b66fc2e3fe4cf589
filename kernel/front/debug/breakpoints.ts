/**
 * A client's breakpoints as conditions of V8's. A log point is one that never stops: its condition prints, and says no.
 */
import type { Breakpoint } from './scripts.js'

interface Asked {
  readonly line?: unknown
  readonly condition?: unknown
  readonly logMessage?: unknown
}

export function breakpointsOf(given: Readonly<Record<string, unknown>>): Breakpoint[] {
  return ((given['breakpoints'] ?? []) as readonly Asked[]).map(({ line, condition, logMessage }) => {
    const [when, message] = [condition, logMessage].map((one) =>
      typeof one === 'string' && one !== '' ? one : undefined,
    )
    const whole = message === undefined ? when : `(${when ?? 'true'}) && (console.log(${template(message)}), false)`
    return { line: Number(line), ...(whole === undefined ? {} : { condition: whole }) }
  })
}

/** A message with expressions in braces, `sum is {a + b}`, as a template literal. */
function template(message: string): string {
  const parts = message.split(/\{([^{}]*)\}/)
  const literal = (text: string): string => text.replace(/[\\`]|\$(?=\{)/g, '\\$&')
  return `\`${parts.map((part, i) => (i % 2 === 0 ? literal(part) : `\${${part}}`)).join('')}\``
}
