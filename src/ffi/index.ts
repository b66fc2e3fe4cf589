/** Foreign functions: the only door to `koffi`. */
export {
  type BackgroundFunctions,
  callInBackground,
  type Functions,
  openBackground,
  openLibrary,
  preloadLibrary,
  systemLibrary,
} from './library.js'
export { type Memory, openMemory } from './memory.js'
export { withoutStderr } from './quiet.js'
