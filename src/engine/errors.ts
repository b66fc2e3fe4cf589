/** How engine errors name tensors: `float32[2, 3]`. */

/** `float32[2, 3]`. */
export function describe(spec: { readonly dtype: string; readonly shape: readonly number[] }): string {
  return `${spec.dtype}[${spec.shape.join(', ')}]`
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i])
}
