/**
 * Where the session keeps the notebook's names.
 *
 * V8 keeps an object in its fast form up to about a thousand named stores, which a cell's hot loops feel (8x). So the
 * names are spread over as many objects as it takes; each name stays in its place.
 */

const namesAPlace = 500

export class NotebookNames {
  private readonly places = new Map<string, number>()
  private readonly defined = new Set<string>()

  /** The number of the object that holds `name`, whether it has a value yet or not. */
  placeOf(name: string): number {
    let place = this.places.get(name)
    if (place === undefined) {
      place = Math.floor(this.places.size / namesAPlace)
      this.places.set(name, place)
    }
    return place
  }

  /** Whether an earlier cell gave `name` a value. */
  has(name: string): boolean {
    return this.defined.has(name)
  }

  /** Notes that `names` have values now. */
  define(names: Iterable<string>): void {
    for (const name of names) this.defined.add(name)
  }
}
