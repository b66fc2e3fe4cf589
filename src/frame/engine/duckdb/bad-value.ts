/** What DuckDB says about a value that has no equal in another type, or no room in its own, in the frame's words. */

/** The message, without the caller, and what to do; undefined for a failure of another kind. */
export function badValue(text: string): { message: string; hint: string } | undefined {
  const [, wanted = '', origin] = /^(.*?)(?: when casting from source column (.+))?$/.exec(text) ?? []
  const place = origin === undefined ? '' : ` in ${/^\w+\(/.test(origin) ? origin : `column '${origin}'`}`
  const [, value, type = ''] = /^Could not convert string '(.*)' to (\w+)$/.exec(wanted) ?? []
  if (value !== undefined) return unequal(`${names[type] ?? 'one of its values'}${place}`, `'${value}'`)
  const [, kind, time, form] =
    /^(?:invalid )?(date|timestamp) field (?:value out of range|format): "(.*?)"(?:, expected format is \((.*)\))?$/.exec(
      wanted,
    ) ?? []
  if (kind !== undefined) {
    return unequal(`a ${kind}${form === undefined ? '' : ` (${form.replace(/\[.*/, '')})`}${place}`, `'${time}'`)
  }
  const [, unread, format] = /^Could not parse string "(.*?)" according to format specifier "(.*?)"/.exec(wanted) ?? []
  if (unread !== undefined) return { message: `expected a time by the format '${format}', got '${unread}'.`, hint: '' }
  const [, large] = /^Type \w+ with value (\S+) can't be cast because the value is out of range/.exec(wanted) ?? []
  if (large !== undefined) return tooLarge(`${large}${place}`)
  const [, sum] = /^Overflow (?:in \w+ of|on) (.*?)!?$/.exec(wanted) ?? []
  return sum === undefined ? undefined : tooLarge(`an overflow: ${sum.replace(/^\w+ \((.*)\)$/, '$1')}`)
}

const names: Readonly<Record<string, string>> = {
  DOUBLE: 'a number',
  FLOAT: 'a number',
  INT64: 'a whole number',
  INT32: 'a whole number',
  BOOL: 'true or false',
}

function unequal(expected: string, got: string): { message: string; hint: string } {
  return { message: `expected ${expected}, got ${got}.`, hint: 'tryCast makes null of what has no equal.' }
}

function tooLarge(got: string): { message: string; hint: string } {
  return {
    message: `expected a value that its type has room for, got ${got}.`,
    hint: `Whole numbers have 64 bits; .cast('number') before goes further, rounded beyond 2^53.`,
  }
}
