/** What the main thread and the control thread share: an Int32Array with these three places. */

/** 1 when the main thread has taken the last interrupt. */
export const isAnswered = 0
/** 1 while a cell runs: what keeps the main thread from answering is then the user's code. */
export const isInCell = 1
/** 1 when the debugger has disconnected, since the process ends. */
export const hasLeft = 2
