/** Joins as SQL over their sides: rows in the order of the left one, then of the right one. */
import type { JoinNode } from '../../plan.js'
import { internalPrefix, quoteName, sqlNames } from './names.js'
import { numbered } from './row-order.js'

const leftRow = quoteName(`${internalPrefix}left`)
const rightRow = quoteName(`${internalPrefix}right`)

export function printJoin(plan: JoinNode, left: string, right: string, ordered: boolean): string {
  const side = (sql: string, name: string): string => (ordered ? numbered(sql, name) : sql)
  const [leftNames, rightNames, names] = [
    sqlNames(plan.left.schema),
    sqlNames(plan.right.schema),
    sqlNames(plan.schema),
  ]
  const rightName = (name: string): string =>
    `r.${rightNames[plan.right.schema.findIndex((each) => each.name === name)]}`
  const leftName = (name: string): string => `l.${leftNames[plan.left.schema.findIndex((each) => each.name === name)]}`
  const condition = plan.on.map((name) => `${leftName(name)} = ${rightName(name)}`)
  if (plan.at !== null) condition.push(`${leftName(plan.at)} >= ${rightName(plan.at)}`)
  const keepsAllOfRight = plan.how === 'right' || plan.how === 'full'
  const list = plan.left.schema.map(({ name }) => {
    return keepsAllOfRight && plan.on.includes(name)
      ? `coalesce(${leftName(name)}, ${rightName(name)})`
      : leftName(name)
  })
  const filtering = plan.how === 'semi' || plan.how === 'anti'
  if (!filtering) {
    list.push(...plan.right.schema.filter(({ name }) => !plan.on.includes(name)).map(({ name }) => rightName(name)))
  }
  const order = filtering ? `l.${leftRow}` : `l.${leftRow} NULLS LAST, r.${rightRow} NULLS LAST`
  const columns = list.map((sql, i) => `${sql} AS ${names[i]}`).join(', ')
  const sides = `(${side(left, leftRow)}) l ${keywords[plan.how]} JOIN (${side(right, rightRow)}) r`
  const on = condition.length === 0 ? '' : ` ON ${condition.join(' AND ')}`
  return `SELECT ${columns} FROM ${sides}${on}${ordered ? ` ORDER BY ${order}` : ''}`
}

const keywords: Readonly<Record<JoinNode['how'], string>> = {
  inner: 'INNER',
  left: 'LEFT',
  right: 'RIGHT',
  full: 'FULL',
  semi: 'SEMI',
  anti: 'ANTI',
  cross: 'CROSS',
  asof: 'ASOF LEFT',
}
