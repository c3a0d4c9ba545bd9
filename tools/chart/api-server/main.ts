/**
 * `npm run chart:apiserver`: a real kube-apiserver is asked to accept every object of every set of values, strictly and in a namespace
 * whose pods are restricted; then helm installs each, and upgrades it to another release of the images. Exit status 1 when anything is
 * refused or warned of. Needs Go and etcd; not part of the tests, as the server takes long to build.
 */
import { CHART } from '../files';
import { helm, NAMESPACE, RELEASE, template } from '../rendered/helm';
import { readObjects } from '../rendered/objects';
import { optionsOf, VALUE_SETS } from '../rendered/value-sets';
import { Acceptance } from './accepted';
import { ApiServer } from './api-server';

async function main(): Promise<number> {
  const server = await ApiServer.start();
  try {
    const { body } = await server.call('GET', '/version');
    process.stdout.write(`kube-apiserver ${body.gitVersion ?? 'of no version'}\n`);
    return await ask(server);
  } finally {
    await server.stop();
  }
}

/** How many things there were to complain of. */
async function ask(server: ApiServer): Promise<number> {
  const acceptance = new Acceptance(server);
  await acceptance.addKinds();
  const kubeconfig = server.kubeconfig();
  let complaints = 0;
  const say = (set: string, what: string, problems: readonly string[]): void => {
    complaints += problems.length;
    process.stdout.write(`${set}: ${what}: ${problems.length === 0 ? 'accepted' : 'not accepted'}\n`);
    for (const problem of problems) process.stdout.write(`  ${problem}\n`);
  };
  await acceptance.addNamespace(NAMESPACE);
  await acceptance.addNamespace('monitoring');
  for (const [set, files] of VALUE_SETS) {
    const objects = readObjects(template(optionsOf(files)));
    const problems: string[] = [];
    for (const object of objects) problems.push(...(await acceptance.problems(object, NAMESPACE)));
    say(set, `${objects.length} objects, strictly`, problems);
    // Nothing runs there, so hooks would never end. Whatever the first leaves must not be in the way of the second.
    for (const tag of ['1.0.0', '1.0.1']) {
      const options = ['--namespace', NAMESPACE, '--kubeconfig', kubeconfig, '--no-hooks', ...optionsOf(files)];
      const { status, stderr } = helm('upgrade', '--install', RELEASE, CHART, '--set', `image.tag=${tag}`, ...options);
      say(set, `helm, release ${tag} of the images`, status === 0 && stderr === '' ? [] : [stderr]);
    }
    const { status, stderr } = helm(
      'uninstall',
      RELEASE,
      '--namespace',
      NAMESPACE,
      '--kubeconfig',
      kubeconfig,
      '--no-hooks',
    );
    if (status !== 0) say(set, 'helm uninstall', [stderr]);
  }
  return complaints;
}

main().then(
  (complaints) => process.exit(complaints === 0 ? 0 : 1),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
