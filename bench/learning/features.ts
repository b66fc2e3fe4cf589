/**
 * A million messages as TF-IDF vectors: cut into tokens, hashed into 2^18 components, weighted by how rare they are; against
 * PySpark on two threads and scikit-learn. All give every vector: ours into arrays of this process, scikit-learn into a matrix,
 * Spark to a sink that drops them.
 */
import { read } from '../../src/frame/index.js'
import { HashingTF, IDF, Tokenizer } from '../../src/nn/ml/index.js'
import { readMatrix } from '../../src/nn/ml/vectors.js'
import { contest, median } from '../harness/contest.js'
import { tableFile } from '../harness/frame-data.js'
import { benchFile, peerContestant, peerPython, startPeer } from '../harness/peer.js'
import { compare, printFigures, type Row } from '../harness/report.js'

export const features: readonly { readonly name: string; run(rounds: number): Promise<Row[]> }[] = [
  { name: 'tokenise, hash, IDF', run: weightMessages },
]

async function weightMessages(rounds: number): Promise<Row[]> {
  const path = await tableFile('messages')
  const messages = await read.parquet(path)
  const peer = await startPeer(await peerPython('features'), [benchFile('peers/features.py'), path])
  const used: number[] = []
  try {
    const figures = await contest(
      [
        {
          name: 'shardbook',
          measure: async () => {
            const [began, cpu] = [performance.now(), process.cpuUsage()]
            const words = new Tokenizer({ inputCol: 'text', outputCol: 'words' }).transform(messages as never)
            const counts = new HashingTF({ inputCol: 'words', outputCol: 'counts' }).transform(words as never)
            const model = await new IDF({ inputCol: 'counts', outputCol: 'features' }).fit(counts as never)
            await readMatrix('bench', model.transform(counts as never), 'features')
            const { user, system } = process.cpuUsage(cpu)
            used.push((user + system) / 1000)
            return performance.now() - began
          },
        },
        { ...peerContestant('PySpark local[2]', peer, 'pyspark'), close: () => {} },
        { ...peerContestant('scikit-learn', peer, 'sklearn'), close: () => {} },
        // For the record: without its own tokens.
        { ...peerContestant('scikit-learn, tokens by str.split', peer, 'sklearn split'), close: () => {} },
      ],
      rounds,
    )
    const [ours, spark, sklearn] = figures
    printFigures('tokenise, hash and weight 1 million messages', 'ms', figures)
    console.log(`processor time: shardbook ${median(used).toFixed(0)} ms`)
    return [
      compare('tokenise, hash, IDF', 'ms', ours!, spark!, 2),
      compare('tokenise, hash, IDF', 'ms', ours!, sklearn!, 1),
    ]
  } finally {
    await peer.close()
  }
}
