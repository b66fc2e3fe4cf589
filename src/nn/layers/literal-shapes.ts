/**
 * Shapes in types, where they are literal: what a layer takes and gives, and whether layers in a row, or in branches, fit. Types
 * only, and cheap: a convolution's height and width are known as numbers alone, and what cannot be told is not checked.
 */
import type { Layer, Shape } from './layer.js'
import type { Product, Sum } from './literal-numbers.js'

/** Types only; there is no such property. */
declare const takes: unique symbol

/** A layer that takes samples of `Axes` (`['height', 'width', 'channels']`), whose name errors tell, and gives `Gives`. */
export type LayerOf<Name extends string, Axes extends readonly string[] | 'any', Gives extends Given> = Layer & {
  readonly [takes]?: readonly [Name, Axes, Gives]
}

/**
 * What a layer gives: a shape, in which `'first'` and `'last'` are the sample's axes; the `'same'` shape; its numbers in a row
 * (`'flat'`) or in another shape; what a layer makes of each step, or of the sequence both ways; or what branches give.
 */
type Given =
  | readonly (number | 'first' | 'last')[]
  | 'same'
  | 'flat'
  | readonly ['reshaped', Shape]
  | readonly ['each', Layer]
  | readonly ['both', Layer, 'concat' | 'sum']
  | readonly ['add' | 'concatenate', Branches]
  | readonly ['residual', readonly Layer[]]
type Branches = readonly (readonly Layer[])[]

export type Steps = readonly ['steps', 'channels']
export type Image = readonly ['height', 'width', 'channels']
export type Volume = readonly ['depth', 'height', 'width', 'channels']

/** A type error that reads as a sentence: layers never have this property. */
export interface ShapeError<Message extends string> {
  readonly shapeError: Message
}

/** `unknown` where layers fit samples of a shape, or that cannot be told; else an error. */
export type Fits<Layers, S extends Shape> =
  Through<Layers, S> extends infer Found ? (Found extends Shape ? unknown : Found) : never

/** The shape behind layers in a row, or an error. */
export type Behind<Layers, S extends Shape> = Through<Layers, S>

/** What two tensors give together, or an error. */
export type Joined<Name extends string, A extends Shape, B extends Shape> = Pair<Name, A, B>

type Through<Layers, S extends Shape> = Layers extends readonly [infer First, ...infer Rest]
  ? First extends { readonly [takes]?: infer Rule }
    ? Step<NonNullable<Rule>, S> extends infer Next
      ? Next extends Shape
        ? Through<Rest, Next>
        : Next
      : never
    : Shape
  : Layers extends readonly []
    ? S
    : Shape

/** The shape after a layer, or an error. */
type Step<Rule, S extends Shape> = Rule extends readonly [infer Name extends string, infer Axes, infer Gives]
  ? Axes extends readonly string[]
    ? number extends S['length']
      ? After<Name, Gives, S>
      : Axes['length'] extends S['length']
        ? After<Name, Gives, S>
        : ShapeError<`nn.${Name} takes samples of shape [${Listed<Axes>}], but gets [${Listed<S>}].`>
    : After<Name, Gives, S>
  : Shape

type After<Name extends string, Gives, S extends Shape> = Gives extends 'same'
  ? S
  : Gives extends 'flat'
    ? readonly [Product<S>]
    : Gives extends readonly ['reshaped', infer To extends Shape]
      ? Reshaped<Name, To, S>
      : Gives extends readonly ['each', infer Inner]
        ? Each<Inner, S>
        : Gives extends readonly ['both', infer Inner, infer Merge]
          ? Both<Through<readonly [Inner], S>, Merge>
          : Gives extends readonly ['add' | 'concatenate', infer Rows]
            ? Merged<Name, Outputs<Rows, S>>
            : Gives extends readonly ['residual', infer Layers]
              ? Merged<Name, readonly [S, Through<Layers, S>]>
              : Gives extends readonly unknown[]
                ? { readonly [K in keyof Gives]: Gives[K] extends number ? Gives[K] : AxisOf<Gives[K], S> }
                : Shape

type AxisOf<Which, S extends Shape> = Which extends 'first'
  ? S extends readonly [infer F extends number, ...unknown[]]
    ? F
    : number
  : S extends readonly [...unknown[], infer L extends number]
    ? L
    : number

type Reshaped<Name extends string, To extends Shape, S extends Shape> = number extends
  | To['length']
  | Product<S>
  | Product<To>
  ? To
  : Product<S> extends Product<To>
    ? To
    : ShapeError<`nn.${Name} to [${Listed<To>}] takes ${Product<To>} numbers, but gets [${Listed<S>}], which are ${Product<S>}.`>

/** A layer on every step. */
type Each<Inner, S extends Shape> = S extends readonly [infer Steps_ extends number, ...infer One extends Shape]
  ? Through<readonly [Inner], One> extends infer Made
    ? Made extends Shape
      ? readonly [Steps_, ...Made]
      : Made
    : never
  : Shape

/** A layer forward and backward. */
type Both<Made, Merge> = Made extends readonly [...infer Lead extends Shape, infer Last extends number]
  ? Merge extends 'sum'
    ? Made
    : readonly [...Lead, Sum<Last, Last>]
  : Made

type Outputs<Rows, S extends Shape> = Rows extends readonly [infer First, ...infer Rest]
  ? readonly [Through<First, S>, ...Outputs<Rest, S>]
  : Rows extends readonly []
    ? readonly []
    : readonly (Shape | ShapeError<string>)[]

/** What branches give together: the first error, what is wrong between the first and another one, or the shape. */
type Merged<Name extends string, Made extends readonly unknown[]> = Made extends readonly [
  infer A,
  infer B,
  ...infer Rest,
]
  ? A extends Shape
    ? B extends Shape
      ? Pair<Name, A, B> extends infer Both_
        ? Rest extends readonly []
          ? Both_
          : Both_ extends Shape
            ? Merged<Name, readonly [Both_, ...Rest]>
            : Both_
        : never
      : B
    : A
  : Shape

type Pair<Name extends string, A extends Shape, B extends Shape> = number extends A['length'] | B['length']
  ? Shape
  : Name extends 'concatenate'
    ? [A, B] extends [
        readonly [...infer Lead extends Shape, infer X extends number],
        readonly [...infer Other extends Shape, infer Y extends number],
      ]
      ? Agree<Lead, Other> extends true
        ? readonly [...Lead, Sum<X, Y>]
        : ShapeError<`nn.concatenate takes outputs that differ in the last axis only, but gets [${Listed<A>}] and [${Listed<B>}].`>
      : Shape
    : Agree<A, B> extends true
      ? A
      : Name extends 'residual'
        ? ShapeError<`nn.residual takes layers that keep the shape [${Listed<A>}], but they give [${Listed<B>}].`>
        : ShapeError<`nn.add takes branches with one output shape, but gets [${Listed<A>}] and [${Listed<B>}].`>

/** Whether shapes are the same, as far as they are known. */
type Agree<A extends Shape, B extends Shape> = A extends readonly [infer X extends number, ...infer As extends Shape]
  ? B extends readonly [infer Y extends number, ...infer Bs extends Shape]
    ? number extends X | Y
      ? Agree<As, Bs>
      : X extends Y
        ? Agree<As, Bs>
        : false
    : false
  : B extends readonly []
    ? true
    : false

/** `28, 28, 1`; a question mark where a number is not known. */
type Listed<S extends readonly (string | number)[]> = S extends readonly [
  infer First extends string | number,
  ...infer Rest extends readonly (string | number)[],
]
  ? `${number extends First ? '?' : First}${Rest extends readonly [] ? '' : ', '}${Listed<Rest>}`
  : ''
