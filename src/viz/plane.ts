/**
 * The door to ml-pca and umap-js: many dimensions as two. Both load at first use.
 *
 * The same rows and seed give the same plane: UMAP draws its random numbers from the seed, and the sign of a principal
 * component, which is free, is that of its greatest coordinate.
 */
import { keyOf, uniform } from '../core/random.js'

export const planeMethods = ['first', 'pca', 'umap'] as const
export type PlaneMethod = (typeof planeMethods)[number]

export interface Plane {
  readonly plane: readonly (readonly [number, number])[]
  /** What the chart says of it. */
  readonly notes: readonly string[]
}

/** Rows of equal length in a plane. */
export async function inPlane(
  rows: readonly (readonly number[])[],
  options: { readonly method: 'pca' | 'umap'; readonly neighbours: number; readonly seed: number },
): Promise<Plane> {
  const dimensions = rows[0]?.length ?? 0
  // Of fewer than three points everything is known.
  if (rows.length < 3) return { plane: rows.map(([a = 0, b = 0]) => [a, b]), notes: [] }
  return options.method === 'pca' ? principal(rows, dimensions) : neighbourhood(rows, dimensions, options)
}

async function principal(rows: readonly (readonly number[])[], dimensions: number): Promise<Plane> {
  const { PCA } = await import('ml-pca')
  const pca = new PCA(rows.map((row) => [...row]))
  const scores = pca
    .predict(
      rows.map((row) => [...row]),
      { nComponents: 2 },
    )
    .to2DArray()
  const signs = [0, 1].map((component) => {
    const extreme = scores.reduce(
      (most, row) => (Math.abs(row[component]!) > Math.abs(most) ? row[component]! : most),
      0,
    )
    return extreme < 0 ? -1 : 1
  })
  const [first = 0, second = 0] = pca.getExplainedVariance()
  return {
    plane: scores.map(([a = 0, b = 0]) => [signs[0]! * a, signs[1]! * b]),
    notes: [`first 2 of ${dimensions} principal components, ${(100 * (first + second)).toFixed(0)} % of the variance`],
  }
}

async function neighbourhood(
  rows: readonly (readonly number[])[],
  dimensions: number,
  { neighbours, seed }: { readonly neighbours: number; readonly seed: number },
): Promise<Plane> {
  const { UMAP } = await import('umap-js')
  const key = keyOf(seed)
  let drawn = 0
  const nNeighbors = Math.min(neighbours, rows.length - 1)
  const umap = new UMAP({ nComponents: 2, nNeighbors, random: () => uniform(key, drawn++) })
  const plane = await umap.fitAsync(rows.map((row) => [...row]))
  return {
    plane: plane.map(([a = 0, b = 0]) => [a, b]),
    notes: [`UMAP of ${dimensions} dimensions, ${nNeighbors} neighbours`],
  }
}
