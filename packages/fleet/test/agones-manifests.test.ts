/** deploy/agones: that the manifests name each other, grant what the driver does and no more, and fit Agones' and our API. */
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { describe, it } from "node:test";
import { parseAllDocuments } from "yaml";
import { ConfigBook } from "../src/config/config-book.ts";
import { AuditLog } from "../src/http/audit-log.ts";
import { NodeCredentials } from "../src/http/credentials.ts";
import { HttpApi } from "../src/http/http-api.ts";
import { answerReview } from "../src/scaling/agones/autoscale-review.ts";
import { AgonesDriver } from "../src/scaling/agones/agones-driver.ts";
import { KubernetesApi } from "../src/scaling/agones/kubernetes-api.ts";
import { EmbeddedStore } from "../src/store/embedded-store.ts";
import { FakeBalancer } from "./fake-balancer.ts";
import { FakeKubernetes } from "./fake-kubernetes.ts";

const FOLDER = new URL("../../../deploy/agones/", import.meta.url);

interface Env {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: {
    readonly secretKeyRef?: { readonly name: string; readonly key: string };
    readonly fieldRef?: { readonly fieldPath: string };
  };
}

interface Container {
  readonly image: string;
  readonly args?: readonly string[];
  readonly env: readonly Env[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly livenessProbe: { readonly httpGet: { readonly path: string; readonly port: string } };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

type Labels = Readonly<Record<string, string>>;

interface PodTemplate {
  readonly metadata: { readonly labels: Labels };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly containers: readonly [Container];
    readonly volumes: readonly { readonly name: string; readonly configMap: { readonly name: string } }[];
  };
}

/** Of every kind, the members that are looked at. */
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data: Labels;
  readonly stringData: Labels;
  readonly rules: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly verbs: readonly string[];
  }[];
  readonly subjects: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

const manifests: readonly Manifest[] = readdirSync(FOLDER)
  .filter((file) => file.endsWith(".yaml"))
  .flatMap((file) =>
    parseAllDocuments(readFileSync(new URL(file, FOLDER), "utf8")).map((document) => {
      assert.deepEqual(document.errors, [], file);
      return document.toJS() as Manifest;
    }),
  );

function find(kind: string, name?: string): Manifest {
  const found = manifests.filter(
    (manifest) => manifest.kind === kind && (name ?? manifest.metadata.name) === manifest.metadata.name,
  );
  assert.equal(found.length, 1, `${kind} ${name}`);
  return found[0];
}

const deployment = find("Deployment").spec as {
  readonly selector: { readonly matchLabels: Labels };
  readonly template: PodTemplate;
};
const balancer = deployment.template.spec.containers[0];
const service = find("Service").spec as {
  readonly selector: Labels;
  readonly ports: readonly [{ readonly port: number; readonly targetPort: string }];
};
const fleet = find("Fleet");
const fleetSpec = fleet.spec as {
  readonly replicas: number;
  readonly template: {
    readonly spec: {
      readonly ports: readonly [{ readonly name: string; readonly portPolicy: string; readonly protocol: string }];
      readonly health: { readonly periodSeconds: number };
      readonly template: { readonly spec: { readonly containers: readonly [Container] } };
    };
  };
};
const autoscaler = find("FleetAutoscaler").spec as {
  readonly fleetName: string;
  readonly policy: {
    readonly type: string;
    readonly webhook: {
      readonly service: {
        readonly name: string;
        readonly namespace: string;
        readonly path: string;
        readonly port: number;
      };
    };
  };
  readonly sync: { readonly type: string; readonly fixedInterval: { readonly seconds: number } };
};

function optionOf(name: string): string {
  const found = balancer.args?.find((arg) => arg.startsWith(`${name}=`));
  assert.ok(found !== undefined, name);
  return found.slice(name.length + 1);
}

/** The verb and resource of a request, as Kubernetes authorizes it. */
function requirementOf(call: string): { readonly group: string; readonly resource: string; readonly verb: string } {
  const [, method, group, resource, name] =
    /^(\w+) \/apis\/([\w.]+)\/v1\/namespaces\/[\w-]+\/(\w+)(?:\/([\w-]+))?$/.exec(call) ?? [];
  const verb = { POST: "create", GET: name === undefined ? "list" : "get", DELETE: "delete" }[method];
  assert.ok(verb !== undefined, call);
  return { group, resource, verb };
}

describe("deploy/agones", () => {
  it("has each kind of manifest, in one namespace, with the versions that Agones and Kubernetes publish", () => {
    const versions = Object.fromEntries(manifests.map(({ kind, apiVersion }) => [kind, apiVersion]));
    assert.deepEqual(versions, {
      ServiceAccount: "v1",
      Role: "rbac.authorization.k8s.io/v1",
      RoleBinding: "rbac.authorization.k8s.io/v1",
      Deployment: "apps/v1",
      ConfigMap: "v1",
      Service: "v1",
      PodDisruptionBudget: "policy/v1",
      FleetAutoscaler: "autoscaling.agones.dev/v1",
      Fleet: "agones.dev/v1",
      Secret: "v1",
    });
    for (const { kind, metadata } of manifests) assert.equal(metadata.namespace, "games", kind);
  });

  it("reaches the balancers by service and ports", () => {
    const { matchLabels } = deployment.selector;
    assert.deepEqual(service.selector, matchLabels);
    assert.deepEqual(deployment.template.metadata.labels, matchLabels);
    const budget = find("PodDisruptionBudget").spec as { readonly selector: unknown };
    assert.deepEqual(budget.selector, { matchLabels });
    const [port] = balancer.ports!;
    assert.deepEqual([port.name, String(port.containerPort)], [service.ports[0].targetPort, optionOf("--port")]);
    assert.equal(optionOf("--url"), `http://$(POD_IP):${port.containerPort}`);
    for (const probe of [balancer.readinessProbe, balancer.livenessProbe]) assert.equal(probe.httpGet.port, port.name);
    const balancerUrl = fleetSpec.template.spec.template.spec.containers[0].env.find(
      ({ name }) => name === "RIPOSTE_BALANCER",
    );
    assert.equal(balancerUrl?.value, `http://${find("Service").metadata.name}:${service.ports[0].port}`);
  });

  it("has the autoscaler ask a path that the API has, with the balancers' secret", async () => {
    const { webhook, type } = autoscaler.policy;
    assert.equal(type, "Webhook");
    assert.deepEqual([autoscaler.fleetName, autoscaler.sync.type], [fleet.metadata.name, "FixedInterval"]);
    assert.ok(Number.isInteger(autoscaler.sync.fixedInterval.seconds) && autoscaler.sync.fixedInterval.seconds >= 1);
    const { name, namespace, port, path } = webhook.service;
    const { metadata } = find("Service");
    assert.deepEqual([name, namespace, port], [metadata.name, metadata.namespace, service.ports[0].port]);
    const secret = find("Secret", "riposte-balancer").stringData.webhookSecret;
    await using http = await HttpApi.create({
      api: new FakeBalancer(),
      limits: () => new ConfigBook().config.limits,
      nodeCredentials: new NodeCredentials({ keys: () => [], wallNow: () => 0 }),
      audit: new AuditLog({ sink: { write: () => true }, wallNow: () => 0 }),
      agones: { secret, review: (review) => answerReview(review, undefined) },
    });
    const status = { replicas: 1, readyReplicas: 1, reservedReplicas: 0, allocatedReplicas: 0 };
    const request = { uid: "u", name: fleet.metadata.name, namespace, status };
    const reply = await http.app.inject({ method: "POST", url: path, payload: { request, response: null } });
    assert.deepEqual(
      [reply.statusCode, reply.json<{ response: unknown }>().response],
      [200, { uid: "u", scale: false, replicas: 1 }],
    );
    for (const { httpGet } of [balancer.readinessProbe, balancer.livenessProbe])
      assert.notEqual((await http.app.inject({ method: "GET", url: httpGet.path })).statusCode, 404, httpGet.path);
  });

  it("grants the driver each call that it makes, and no more", async () => {
    await using kubernetes = await FakeKubernetes.listen();
    await using store = await EmbeddedStore.open();
    const [region, fleetName] = optionOf("--agones-fleet").split(":");
    assert.equal(fleetName, fleet.metadata.name);
    const { url, token } = kubernetes;
    const api = new KubernetesApi({ url, token: async () => token });
    const driver = new AgonesDriver({ api, namespace: "games", fleets: { [region]: fleetName }, store, log: () => {} });
    kubernetes.scale(fleetName, 1);
    const id = await driver.start(region, new AbortController().signal);
    await driver.hasEnded(id);
    await driver.stop(id);
    await driver[Symbol.asyncDispose]();
    const needed = new Set(kubernetes.calls.map((call) => Object.values(requirementOf(call)).join(" ")));
    const granted = find("Role").rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${group} ${resource} ${verb}`)),
      ),
    );
    assert.deepEqual(granted.toSorted(), [...needed].toSorted());
    const account = deployment.template.spec.serviceAccountName;
    assert.equal(find("ServiceAccount").metadata.name, account);
    assert.deepEqual(find("RoleBinding").subjects, [{ kind: "ServiceAccount", name: account, namespace: "games" }]);
    assert.equal(find("RoleBinding").roleRef.name, find("Role").metadata.name);
  });

  it("has the secrets and the configuration that are named", () => {
    const containers = [balancer, fleetSpec.template.spec.template.spec.containers[0]];
    const references = containers.flatMap(({ env }) => env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []));
    assert.equal(references.length, 5);
    for (const { name, key } of references)
      assert.ok(find("Secret", name).stringData[key] !== undefined, `${name} ${key}`);
    const { webhookSecret, fleetSecret } = find("Secret", "riposte-balancer").stringData;
    assert.match(webhookSecret, /^[\w-]{16,128}$/);
    assert.match(fleetSecret, /^[0-9a-f]{64,}$/);
    assert.match(find("Secret", "riposte-node-key").stringData.nodeKey, /^\w+:[0-9a-f]{64,}$/);
    const [volume] = deployment.template.spec.volumes;
    const { metadata, data } = find("ConfigMap");
    assert.equal(volume.configMap.name, metadata.name);
    const [mount] = balancer.volumeMounts;
    assert.deepEqual([mount.name, `${mount.mountPath}/config.json`], [volume.name, optionOf("--config")]);
    const { config } = new ConfigBook({ initial: JSON.parse(data["config.json"]) });
    assert.deepEqual(Object.keys(config.scaling), [optionOf("--agones-fleet").split(":")[0]]);
  });

  it("opens a port to players for each game server, and begins with none", () => {
    const { ports, health } = fleetSpec.template.spec;
    assert.deepEqual([ports[0].portPolicy, ports[0].protocol, fleetSpec.replicas], ["Dynamic", "UDP", 0]);
    assert.ok(health.periodSeconds > 4, "AgonesSdk says every 2 s that it is well");
  });
});
