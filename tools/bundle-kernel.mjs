// Puts the modules of the front, and of the session, into a few files: a kernel starts 50 ms earlier. The session takes the
// core from where the library does, so that a class is the same in both.
import { rolldown } from 'rolldown'

export async function bundleKernel(folder = 'dist/kernel') {
  for (const part of ['front', 'session']) {
    const bundle = await rolldown({
      input: { main: `${folder}/${part}/main.js` },
      platform: 'node',
      external: (id) => !/^[./]|^main$|^dist\//.test(id) || (part === 'session' && id.includes('/src/core/')),
    })
    await bundle.write({ dir: `${folder}/${part}`, format: 'esm', chunkFileNames: 'main-[name].js' })
    await bundle.close()
  }
}
