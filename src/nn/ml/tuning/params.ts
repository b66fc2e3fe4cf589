/**
 * Parameters that tuners try: plain values for options of an estimator, or of a stage within a pipeline. An estimator is
 * immutable, so to try them is to make another one with some options changed.
 */
import { nearest, show } from '../../../core/check.js'
import { ShardbookError } from '../../../core/errors.js'
import type { Estimator, Stage } from '../stage.js'
import { paramsOf } from './param-names.js'

/** A stage whose options can be tried. */
export interface Tunable {
  readonly kind: string
  readonly options: object
  copy(changes: object): unknown
}

/** A value for an option of a stage. */
export interface ParamSetting {
  readonly stage: Tunable
  readonly param: string
  readonly value: unknown
}

/** What one candidate differs in; no settings at all is the estimator as it is. */
export type ParamMap = readonly ParamSetting[]

/**
 * The estimator with a candidate's values: in itself, or in the stages of a pipeline, at any depth.
 *
 * @throws ShardbookError `argument` for a setting of a stage that is not in the estimator.
 */
export function withParams(caller: string, estimator: Estimator, params: ParamMap): Estimator {
  const used = new Set<ParamSetting>()
  const apply = (stage: unknown): unknown => {
    if (!isTunable(stage)) return stage
    const own = params.filter((setting) => setting.stage === stage)
    for (const setting of own) used.add(setting)
    const changes: Record<string, unknown> = Object.fromEntries(own.map(({ param, value }) => [param, value]))
    const stages = (stage.options as { stages?: unknown }).stages
    if (Array.isArray(stages) && !('stages' in changes)) {
      const inner = stages.map(apply)
      if (inner.some((each, i) => each !== stages[i])) changes['stages'] = inner
    }
    return Object.keys(changes).length === 0 ? stage : stage.copy(changes)
  }
  const made = apply(estimator) as Estimator
  const lost = params.find((setting) => !used.has(setting))
  if (lost === undefined) return made
  throw new ShardbookError(
    'argument',
    `${caller}: expected parameters of stages within the estimator, got '${lost.param}' of a ${lost.stage.kind} that is not in it.`,
    { hint: 'Give the grid the very stages that the pipeline was made of.' },
  )
}

function isTunable(stage: unknown): stage is Tunable {
  return (
    typeof stage === 'object' &&
    stage !== null &&
    'options' in stage &&
    'copy' in stage &&
    typeof stage.copy === 'function'
  )
}

/** Values of a candidate by name: `regParam`, or `HashingTF.numFeatures` where two stages are tried. */
export function labelled(params: ParamMap, among: readonly ParamMap[] = [params]): Readonly<Record<string, unknown>> {
  const stages = [...new Set(among.flat().map(({ stage }) => stage))]
  const name = ({ stage, param }: ParamSetting): string => {
    if (stages.length < 2) return param
    const alike = stages.filter(({ kind }) => kind === stage.kind)
    const number = alike.length < 2 ? '' : String(alike.indexOf(stage) + 1)
    return `${stage.kind}${number}.${param}`
  }
  return Object.fromEntries(params.map((setting) => [name(setting), setting.value]))
}

/** `regParam 0.1, maxIter 5` */
export function showParams(params: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(params)
  if (entries.length === 0) return 'as given'
  return entries.map(([name, value]) => `${name} ${showValue(value)}`).join(', ')
}

export function showValue(value: unknown): string {
  if (typeof value === 'number') return String(Number(value.toPrecision(4)))
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return `[${value.map(showValue).join(', ')}]`
  return typeof value === 'object' && value !== null && 'kind' in value ? String(value.kind) : show(value)
}

/**
 * @throws ShardbookError `argument` for an option that a stage has not, naming the stage and the nearest one that it has, and for
 * values of another type.
 */
export function checkParam(caller: string, stage: Tunable, param: string, values: readonly unknown[]): void {
  if (!isTunable(stage)) {
    throw new ShardbookError('argument', `${caller}: expected an estimator or a stage, got ${show(stage)}.`)
  }
  const known = paramsOf(stage.kind)
  // What a stage of the user's own takes only its type tells.
  if (known === undefined) return
  if (Object.hasOwn(known, param)) {
    const type = known[param]!
    const odd = values.findIndex((value) => type !== true && typeof value !== type)
    if (odd < 0) return
    throw new ShardbookError(
      'argument',
      `${caller}: expected values of type ${String(type)} for '${param}' of ${stage.kind}, got ${show(values[odd])}.`,
    )
  }
  const near = nearest(param, Object.keys(known))
  throw new ShardbookError('argument', `${caller}: expected a parameter of ${stage.kind}, got ${show(param)}.`, {
    hint: near === undefined ? `It has: ${Object.keys(known).join(', ')}.` : `Did you mean ${show(near)}?`,
  })
}

/** Plain text that says which stage this is with all its options: the same for the same. */
export function describeStage(stage: Pick<Stage, 'kind'> & { readonly options?: object }): string {
  return JSON.stringify({ kind: stage.kind, options: stage.options }, describeValue)
}

/** A replacer for JSON: what JSON lacks as text; a stage or a layer as its kind and options, wherever it was written. */
export function describeValue(_: string, value: unknown): unknown {
  if (typeof value === 'function') return `function ${value.toString()}`
  if (typeof value === 'bigint') return `${value}n`
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>)
  const isMade = typeof value === 'object' && value !== null && 'kind' in value && 'options' in value
  return isMade && Object.keys(value).length > 2 ? { kind: value.kind, options: value.options } : value
}
