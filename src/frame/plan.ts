/** The logical plan: frozen plain data. */
export interface Plan {
  readonly kind: string
}
