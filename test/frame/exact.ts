/** What type tests share; only the compiler sees it. */
import type { Frame, Tensor } from '../../src/frame/index.js'

type Equal<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
type ColumnsOf<F> = F extends Frame<infer S> ? S : never
/** Compiles only when the frame has exactly these columns. */
export declare function is<S>(): <F>(
  frame: F & (Equal<ColumnsOf<F>, S> extends true ? unknown : { expected: S; got: ColumnsOf<F> }),
) => void

export type Flowers = {
  id: number
  petal: number | null
  width: number
  species: string
  seen: Date
  rare: boolean
  code: bigint
  image: Tensor<[28, 28, 1]>
}
