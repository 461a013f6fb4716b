#!/usr/bin/env node
/*
 * The command of the installed package. Whichever Node comes first on PATH reads this file, however old, so that it is
 * written in the syntax of 2009 (ECMAScript 5). Where that Node is too old it looks for a newer one on PATH, beside the
 * package, and among what version managers keep, and hands over; where there is none it says in one sentence what to install.
 */
"use strict";

var childProcess = require("child_process");
var fs = require("fs");
var path = require("path");

/* As `engines` in package.json has it. */
var LEAST = [22, 19];
var SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

function isNewEnough(version) {
  var parts = String(version).replace(/^v/, "").split(".");
  var major = Number(parts[0]);
  return major > LEAST[0] || (major === LEAST[0] && Number(parts[1]) >= LEAST[1]);
}

function versionOf(program) {
  var answer = childProcess.spawnSync(program, ["--version"], { encoding: "utf8", timeout: 5000 });
  return answer.status === 0 ? String(answer.stdout).trim() : "";
}

function namesIn(directory) {
  try {
    return fs.readdirSync(directory);
  } catch (_) {
    return [];
  }
}

function isProgram(file) {
  try {
    return fs.statSync(file).isFile();
  } catch (_) {
    return false;
  }
}

function onPath() {
  var found = [];
  (process.env.PATH || "").split(path.delimiter).forEach(function (directory) {
    if (directory !== "") found.push(path.join(directory, "node"), path.join(directory, "nodejs"));
  });
  return found;
}

/* npm's own package `node`, where a project brings its Node with it. */
function beside() {
  var found = [];
  var at = __dirname;
  while (path.dirname(at) !== at) {
    found.push(path.join(at, "node_modules/node/bin/node"));
    at = path.dirname(at);
  }
  return found;
}

/* Where nvm, fnm, Volta, asdf, mise and n keep each version. */
function managed() {
  var home = process.env.HOME || "/nonexistent";
  var data = process.env.XDG_DATA_HOME || path.join(home, ".local/share");
  var found = [];
  [
    [path.join(process.env.NVM_DIR || path.join(home, ".nvm"), "versions/node"), "bin/node"],
    [path.join(process.env.FNM_DIR || path.join(data, "fnm"), "node-versions"), "installation/bin/node"],
    [path.join(process.env.VOLTA_HOME || path.join(home, ".volta"), "tools/image/node"), "bin/node"],
    [path.join(process.env.ASDF_DATA_DIR || path.join(home, ".asdf"), "installs/nodejs"), "bin/node"],
    [path.join(process.env.MISE_DATA_DIR || path.join(data, "mise"), "installs/node"), "bin/node"],
    [path.join(process.env.N_PREFIX || "/usr/local", "n/versions/node"), "bin/node"]
  ].forEach(function (kept) {
    namesIn(kept[0]).forEach(function (version) {
      if (isNewEnough(version)) found.push(path.join(kept[0], version, kept[1]));
    });
  });
  return found;
}

function newerNode() {
  return onPath().concat(beside(), managed()).filter(function (program) {
    return isProgram(program) && isNewEnough(versionOf(program));
  })[0];
}

function handOver(program) {
  var child;
  /* Listened for before the program runs: a signal in between would end this process alone and leave that one behind. */
  SIGNALS.forEach(function (signal) {
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  child = childProcess.spawn(program, process.argv.slice(1), { stdio: "inherit" });
  child.on("error", function (error) {
    process.stderr.write("unship: " + program + " did not start: " + error.message + "\n");
    process.exit(2);
  });
  child.on("exit", function (code, signal) {
    if (signal === null) process.exit(code);
    SIGNALS.forEach(function (name) {
      process.removeAllListeners(name);
    });
    process.kill(process.pid, signal);
  });
}

function start() {
  var program;
  if (isNewEnough(process.versions.node)) return require("./start.cjs");
  program = newerNode();
  if (program !== undefined) return handOver(program);
  process.stderr.write(
    "unship needs Node.js " + LEAST.join(".") + " or newer, and this is " + process.versions.node + ": install the current LTS" +
      " release (https://nodejs.org/en/download), or type `npm install node@24` where unship is installed.\n"
  );
  process.exit(2);
}

start();
