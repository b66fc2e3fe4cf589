/** Foreign functions: the only door to `koffi`. */
export { type CType, type Functions, type Signature, openLibrary, systemLibrary } from './library.js'
export { type Memory, openMemory } from './memory.js'
export { withoutStderr } from './quiet.js'
