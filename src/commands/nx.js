// SPDX-License-Identifier: GPL-2.0-or-later
// Asks the nx of the workspace in the working directory what a target reads and writes. iotrc check runs this with node
// (check_nx.c). The question is JSON on stdin; the answer is JSON on descriptor 3, because nx and its plugins print on stdout.
'use strict';
const { spawn } = require('child_process');
const fs = require('fs');
const path = require('path');

const root = process.cwd();
const inside = (name, from = root) => require(require.resolve(name, { paths: [from] }));

// nx itself decides which files belong to a target, by functions outside its public interface. check-nx tests them.
function loadNx() {
	let version;
	try {
		version = inside('nx/package.json').version;
	} catch {
		throw new Error('this workspace has no nx');
	}
	try {
		return { version, files: inside('nx/src/hasher/check-task-files'), graph: inside('nx/src/project-graph/project-graph') };
	} catch (e) {
		if (!/ERR_PACKAGE_PATH|MODULE_NOT_FOUND/.test(e.code))
			throw e;
		throw new Error(`nx ${version} is too old: it doesn't tell what a target reads (nx 24 does)`);
	}
}

// What `nx show target WHAT TARGET --json` prints.
function show(what, target) {
	const nx = require.resolve('nx/bin/nx.js', { paths: [root] });
	const child = spawn(process.execPath, [nx, 'show', 'target', what, target, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
	let out = '', said = '';
	child.stdout.on('data', (data) => (out += data));
	child.stderr.on('data', (data) => (said += data));
	return new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (code) => {
			try {
				resolve(JSON.parse(out.slice(out.indexOf('{'))));
			} catch {
				const words = (said + out).replace(/\x1b\[[0-9;]*m/g, '').replace(/\s+/g, ' ').trim();
				reject(new Error(`nx show target ${what} ${target}: ${words || `code ${code}`}`));
			}
		});
	});
}

const list = (value) => (Array.isArray(value) ? value.filter((v) => typeof v === 'string') : []);
const escape = (name) => name.replace(/^!|[*?[{\\]/g, '\\$&');

// Does this name match the words of an exclusion, in which * matches anything?
const means = (words, name) =>
	[].concat(words ?? '*').some((word) => new RegExp(`^${String(word).split('*').map((s) => s.replace(/[.+?^${}()|[\]\\]/g, '\\$&')).join('.*')}$`).test(name));

function parseYaml(text) {
	const nx = path.dirname(require.resolve('nx/package.json', { paths: [root] }));
	for (const [name, read] of [['yaml', 'parse'], ['@zkochan/js-yaml', 'load'], ['js-yaml', 'load']]) {
		try {
			return inside(name, nx)[read](text) || {};
		} catch (e) {
			if (e.code !== 'MODULE_NOT_FOUND')
				throw e;
		}
	}
	throw new Error('found no YAML parser beside nx');
}

// The ignore lists of the target and of the workspace; the older names as well.
function ignored(project, target, config) {
	const files = ['ultracache-config.yaml', 'sandboxing-config.yaml'].map((name) => path.join(root, '.nx/workflows', name));
	const file = files.find((name) => fs.existsSync(name));
	const workspace = file ? parseYaml(fs.readFileSync(file, 'utf8')) : {};
	const own = [].concat(workspace['task-exclusions'] ?? []).filter((e) => e && means(e.project, project) && means(e.target, target));
	const all = (kind) => [workspace, ...own].flatMap((from) => [...list(from[`ignore-${kind}`]), ...list(from[`exclude-${kind}`])]);
	const cache = config.ultracache ?? {};
	return {
		reads: [...list(cache.ignoreReads), ...list(cache.ignoredReads), ...all('reads')],
		writes: [...list(cache.ignoreWrites), ...list(cache.ignoredWrites), ...all('writes')],
	};
}

// Files that are always inputs, whether the task reads them or not.
function isAlwaysInput(name, projectRoot, hasProjectJson) {
	const always = ['nx.json', '.gitignore', '.nxignore', 'project.json'];
	return always.includes(path.basename(name)) || (!hasProjectJson && name === path.join(projectRoot, 'package.json'));
}

async function resolve({ target: name }) {
	const nx = loadNx();
	const [graph, inputs, outputs] = await Promise.all([nx.graph.createProjectGraphAsync(), show('inputs', name), show('outputs', name)]);
	const { project, target } = outputs;
	const node = graph.nodes[project], config = node.data.targets[target];
	const files = [...list(inputs.files), ...list(inputs.depOutputs)], patterns = list(outputs.outputPaths);
	const hasProjectJson = fs.existsSync(path.join(root, node.data.root, 'project.json'));
	const skip = ignored(project, target, config);
	// An empty answer is none: what nx can't tell isn't undeclared.
	const undetermined = [];
	if (!files.length)
		undetermined.push({ list: 'inputs', why: inputs.warning ?? 'nx names no input' });
	if (list(outputs.unresolvedOutputs).length)
		undetermined.push({ list: 'outputs', why: `nx can't resolve ${list(outputs.unresolvedOutputs).join(', ')}` });
	else if (!patterns.length && !Array.isArray(config.outputs))
		undetermined.push({ list: 'outputs', why: 'nx names no output' });
	return {
		source: { nx: name, version: nx.version },
		inputs: files.map(escape),
		outputs: patterns,
		ignore_reads: skip.reads,
		ignore_writes: skip.writes,
		optional_inputs: files.filter((f) => isAlwaysInput(f, node.data.root, hasProjectJson)).map(escape),
		...(undetermined.length && { undetermined }),
	};
}

// Reads that nx takes for inputs though it lists them nowhere (dependentTasksOutputFiles before the other task ran), and
// writes as its own globs have them.
async function judge({ target, reads, writes }) {
	const { files } = loadNx();
	const inputs = reads.length ? (await files.checkFilesAreInputs(target, reads)).matched : [];
	const outputs = await files.checkFilesAreOutputs(target, writes);
	return { inputs: inputs.map(escape), outputs: [...outputs.matched.map(escape), ...outputs.unmatched.map((f) => `!${escape(f)}`)] };
}

async function main() {
	const question = JSON.parse(fs.readFileSync(0, 'utf8'));
	let answer;
	try {
		answer = await (question.reads ? judge(question) : resolve(question));
	} catch (e) {
		answer = { error: String(e.message).replace(/\x1b\[[0-9;]*m/g, '') };
	}
	fs.writeSync(3, JSON.stringify(answer));
	process.exit(0);
}

main();
