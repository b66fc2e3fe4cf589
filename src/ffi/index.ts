/** Foreign functions: the only door to `koffi`. */
export { type BackgroundFunctions, type Functions, openBackground, openLibrary, systemLibrary } from './library.js'
export { type Memory, openMemory } from './memory.js'
export { withoutStderr } from './quiet.js'
