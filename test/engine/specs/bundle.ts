/** TensorFlow.js's own specs as one file that Node can load: the package has them as modules for bundlers. */
import { rolldown } from 'rolldown'

const dist = '@tensorflow/tfjs-core/dist'
const entry = `
import '${dist}/public/chained_ops/register_all_chained_ops'
import '${dist}/register_all_gradients'
export { setTestEnvs } from '${dist}/jasmine_util'
export const define = () => require('${dist}/tests')
`

/** Writes the bundle to `file`; it exports `setTestEnvs`, to be called first, and `define`, which defines all specs. */
export async function bundleSpecs(file: string): Promise<void> {
  const bundle = await rolldown({
    input: 'entry',
    platform: 'node',
    treeshake: false, // specs have no exports
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry' ? '\0entry' : null),
        load: (id) => (id === '\0entry' ? entry : null),
      },
    ],
  })
  await bundle.write({ file, format: 'cjs' })
  await bundle.close()
}
