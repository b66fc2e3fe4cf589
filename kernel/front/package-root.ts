/** Where the package lies. The build puts the front into files of this folder, so what counts folders up does it here. */
import { fileURLToPath } from 'node:url'

/** The package's root, seen from `dist/kernel/front`. */
export const packageRoot = fileURLToPath(new URL('../../../', import.meta.url))
