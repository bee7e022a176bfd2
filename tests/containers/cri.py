# SPDX-License-Identifier: GPL-2.0-or-later
"""Pods, as a kubelet asks a runtime for them: the few messages that this takes of the Container Runtime Interface
(runtime.v1 of Kubernetes' cri-api), whose numbers of fields are below."""
import secrets

import grpc

OF_THE_MACHINE = 2 # NamespaceMode.NODE


def varint(n):
    out = bytearray()
    while n > 0x7f:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    return bytes(out) + bytes([n])


def encode(message):
    """Protocol Buffers of {number: value}; a list is a repeated field."""
    out = b""
    for number, values in message.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, int):
                out += varint(number << 3) + varint(value)
                continue
            raw = encode(value) if isinstance(value, dict) else value.encode()
            out += varint(number << 3 | 2) + varint(len(raw)) + raw
    return out


def first_text(raw):
    """Of an answer that has no field, or one that is a short text."""
    return raw[2:2 + raw[1]].decode() if raw else ""


def text_map(items):
    return [{1: key, 2: value} for key, value in items.items()]


class Runtime:
    """The one that listens on SOCKET."""

    def __init__(self, socket):
        self.channel = grpc.insecure_channel(f"unix://{socket}")
        self.pods = []

    def __call__(self, method, message):
        ask = self.channel.unary_unary(f"/runtime.v1.RuntimeService/{method}", request_serializer=encode,
                                       response_deserializer=first_text)
        return ask(message, timeout=120)

    def run_pod(self, namespace, name, parent="/kubepods/besteffort"):
        uid = secrets.token_hex(16)
        labels = {"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": namespace, "io.kubernetes.pod.uid": uid}
        options = {1: OF_THE_MACHINE}
        config = {1: {1: name, 2: uid, 3: namespace, 4: 0}, 6: text_map(labels), 8: {1: f"{parent}/pod{uid}", 2: {1: options}}}
        pod = self("RunPodSandbox", {1: config})
        self.pods.append(pod)
        return Pod(self, pod, config, labels, options)

    def end(self):
        for pod in self.pods:
            self("StopPodSandbox", {1: pod})
            self("RemovePodSandbox", {1: pod})
        self.pods = []


class Pod:
    def __init__(self, runtime, number, config, labels, options):
        self.runtime, self.number, self.config, self.labels, self.options = runtime, number, config, labels, options

    def run(self, name, image, *command):
        """A container. Returns its id."""
        labels = {**self.labels, "io.kubernetes.container.name": name}
        config = {1: {1: name, 2: 0}, 2: {1: image}, 3: list(command), 9: text_map(labels), 15: {2: {3: self.options}}}
        container = self.runtime("CreateContainer", {1: self.number, 2: config, 3: self.config})
        self.runtime("StartContainer", {1: container})
        return container
