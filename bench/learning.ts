/**
 * Learning against Keras: whole trainings by `fit`, input pipeline included, and what a training costs beyond its compiled steps.
 *
 * `npm run bench:learning -- [--rounds N] [--json FILE] [--only TEXT]`
 */
import { type Contest, fits } from './learning/fits.js'
import { trials } from './learning/trials.js'
import { type Row, benchOptions, report } from './harness/report.js'

/** Every contest; `--only` names some. */
const contests: readonly Contest[] = [...fits, ...trials]

const options = benchOptions()
const rows: Row[] = []
for (const { name, run } of contests) if (name.includes(options.only)) rows.push(...(await run(options.rounds)))
report(rows, options)
