import { gone } from "./api-error.ts";
import { type Kinds, type KubeObject, namespaceOf, type Plural } from "./objects.ts";

export interface StoreEvent {
  readonly version: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly plural: Plural;
  readonly object: KubeObject;
  /** The object before this event; absent for one that was added. */
  readonly previous?: KubeObject;
}

/**
 * Every object of the cluster under one global counter, with a bounded history for watches.
 * Plain storage: what a write may contain is decided before it gets here.
 *
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export interface Store {
  get<P extends Plural>(plural: P, namespace: string, name: string): Kinds[P] | undefined;
  /** Objects in the order of their names; all namespaces when `namespace` is absent. */
  list<P extends Plural>(plural: P, namespace?: string): readonly Kinds[P][];
  /** Writes the object under the next version and returns it. */
  put(plural: Plural, object: KubeObject): KubeObject;
  /** Takes the object away and returns it as the deletion event shows it. */
  drop(plural: Plural, object: KubeObject): KubeObject;
  version(): number;
  /** Events of one kind after `version`. Throws 410 where the history does not reach back that far. */
  since(plural: Plural, version: number): readonly StoreEvent[];
  /** Calls back after every write, within the write; the answer ends it. */
  subscribe(listener: (event: StoreEvent) => void): () => void;
}

/** `historyLimit`: events kept in memory; a watch from before them gets 410 Gone. */
export function createStore(historyLimit: number): Store {
  const objects = new Map<Plural, Map<string, KubeObject>>();
  const history: StoreEvent[] = [];
  const listeners = new Set<(event: StoreEvent) => void>();
  // The real counter is etcd's revision, which has long left 0 when the first object is written.
  let counter = 100;
  let forgotten = counter;

  const table = (plural: Plural): Map<string, KubeObject> => {
    const found = objects.get(plural) ?? new Map<string, KubeObject>();
    objects.set(plural, found);
    return found;
  };
  const record = (event: StoreEvent) => {
    history.push(event);
    if (history.length > historyLimit) forgotten = history.shift()?.version ?? forgotten;
    for (const listener of [...listeners]) listener(event);
  };
  const versioned = (object: KubeObject): KubeObject => {
    counter += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(counter) } };
  };

  return {
    get: <P extends Plural>(plural: P, namespace: string, name: string) =>
      table(plural).get(`${namespace}/${name}`) as Kinds[P] | undefined,
    list<P extends Plural>(plural: P, namespace?: string) {
      const all = [...table(plural).entries()].filter(
        ([, object]) => namespace === undefined || namespaceOf(object) === namespace,
      );
      return all
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => object) as readonly KubeObject[] as Kinds[P][];
    },
    put(plural, object) {
      const key = `${namespaceOf(object)}/${object.metadata.name}`;
      const previous = table(plural).get(key);
      const written = versioned(object);
      table(plural).set(key, written);
      record({
        version: counter,
        type: previous === undefined ? "ADDED" : "MODIFIED",
        plural,
        object: written,
        ...(previous === undefined ? {} : { previous }),
      });
      return written;
    },
    drop(plural, object) {
      const last = versioned(object);
      table(plural).delete(`${namespaceOf(object)}/${object.metadata.name}`);
      record({ version: counter, type: "DELETED", plural, object: last, previous: object });
      return last;
    },
    version: () => counter,
    since(plural, version) {
      if (version < forgotten) throw gone(`too old resource version: ${version} (${forgotten})`);
      return history.filter((event) => event.version > version && event.plural === plural);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
