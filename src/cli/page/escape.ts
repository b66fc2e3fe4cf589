/** A value made safe for the place in a page that it goes to. */

/** A value as JSON inside a `<script>`: no `</script>`, no `<!--`, and no line separators of old parsers. */
export function escapeJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>\u2028\u2029]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
