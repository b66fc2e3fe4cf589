/** The wasm engine against the stock backend with the one kernel that it lacks composed the obvious way. */
import { openEngine } from '../../src/engine/index.js'
import { startPeer, peerContestant } from '../harness/peer.js'
import { contest } from '../harness/contest.js'
import { type Row, compare, printFigures } from '../harness/report.js'
import { loopStepper } from './training.js'
import { workloads } from './workloads.js'

const goal = 2
const steps = 2

export async function wasmTraining(rounds: number): Promise<Row[]> {
  const workload = workloads[0]!()
  const engine = await openEngine('wasm')
  const stepper = await loopStepper(engine, workload)
  await stepper.run(1)
  const program = new URL('../baselines/wasm-cnn.js', import.meta.url).pathname
  const stock = await startPeer(process.execPath, [program])
  const figures = await contest(
    [
      {
        name: 'shardbook',
        async measure() {
          const began = performance.now()
          await stepper.run(steps)
          return (performance.now() - began) / steps
        },
        close: async () => stepper.close(),
      },
      peerContestant(`stock tfjs-backend-wasm (${stock.ready})`, stock, String(steps)),
    ],
    rounds,
  )
  printFigures('CNN, training on wasm, batch 128', 'ms/step', figures)
  return [compare('CNN: training on wasm', 'ms/step', figures[0]!, figures[1]!, goal)]
}
