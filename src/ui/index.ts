/** Controls in a notebook, bound to values. */
export {
  type Button,
  button,
  type Control,
  select,
  type SelectOptions,
  slider,
  type SliderOptions,
  text,
  type TextOptions,
} from './controls.js'
