/** Foreign functions: the only door to `koffi`. */
export {
  type BackgroundFunctions,
  callInBackground,
  type Functions,
  openBackground,
  openLibrary,
  openStructFunctions,
  preloadLibrary,
  type StructFunctions,
  systemLibrary,
} from './library.js'
export { type MappedFiles, type Mapping, openMappedFiles } from './mapped-file.js'
export { type Memory, openMemory } from './memory.js'
export { withoutStderr } from './quiet.js'
