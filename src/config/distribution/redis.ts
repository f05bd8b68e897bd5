import { z } from "zod";
import type { DistributionMajor } from "./major.ts";
import { duration, flag, listOf, section, text, textLike, texts, whole } from "./values.ts";

const HOST_PORT = /^\S+:\d{1,5}$/;

/** 2.x: one server, no user, no TLS. 3.x: go-redis' `UniversalOptions` under lower-case names. */
export function redisSection(major: DistributionMajor) {
  return major === 2 ? redis2() : redis3();
}

function redis2() {
  return section("the redis server of the descriptor cache", {
    addr: textLike(HOST_PORT, "host:port", "server"),
    password: text("password"),
    db: whole("database (0)", { min: 0 }),
    dialtimeout: duration("time to connect"),
    readtimeout: duration("time to read"),
    writetimeout: duration("time to write"),
    pool: section("connection pool", {
      maxidle: whole("idle connections", { min: 0 }),
      maxactive: whole("open connections", { min: 0 }),
      idletimeout: duration("idle time after which a connection is closed"),
    }),
  });
}

function redis3() {
  const server = z.string({ error: "should be host:port" }).regex(HOST_PORT, { error: "should be host:port" });
  return section("the redis servers of the descriptor cache", {
    addrs: listOf("servers: one, the sentinels, or the cluster's nodes", server),
    clientname: text("name shown in CLIENT LIST"),
    db: whole("database (0)", { min: 0 }),
    protocol: whole("RESP version (3)", { min: 2, max: 3 }),
    username: text("ACL user"),
    password: text("password"),
    sentinelusername: text("ACL user on the sentinels"),
    sentinelpassword: text("password on the sentinels"),
    maxretries: whole("attempts; -1 = none (3)", { min: -1 }),
    minretrybackoff: duration("shortest pause between attempts (8ms)"),
    maxretrybackoff: duration("longest pause between attempts (512ms)"),
    dialtimeout: duration("time to connect (5s)"),
    readtimeout: duration("time to read (3s)"),
    writetimeout: duration("time to write (3s)"),
    contexttimeoutenabled: flag("honour the request's deadline (false)"),
    poolfifo: flag("first in, first out pool (false)"),
    poolsize: whole("connections a CPU (10)", { min: 0 }),
    pooltimeout: duration("time to wait for a connection (readtimeout + 1s)"),
    minidleconns: whole("idle connections kept (0)", { min: 0 }),
    maxidleconns: whole("most idle connections (0: no limit)", { min: 0 }),
    maxactiveconns: whole("most connections (0: no limit)", { min: 0 }),
    connmaxidletime: duration("idle time after which a connection is closed (30m)"),
    connmaxlifetime: duration("age after which a connection is closed (0s: none)"),
    maxredirects: whole("cluster redirects followed (3)", { min: 0 }),
    readonly: flag("read from cluster replicas (false)"),
    routebylatency: flag("read from the nearest node (false)"),
    routerandomly: flag("read from any node (false)"),
    mastername: text("sentinel's name of the master"),
    disableidentity: flag("no CLIENT SETINFO (false)"),
    identitysuffix: text("added to the client's library name"),
    unstableresp3: flag("RESP3 for modules (false)"),
    tls: section("TLS to the servers: on with certificate and key, from 3.1 also with rootcas alone", {
      certificate: text("PEM client certificate"),
      key: text("PEM client key"),
      clientcas: texts("PEM files of the servers' CAs; 3.0 only"),
      rootcas: texts("PEM files of the servers' CAs; from 3.1"),
    }),
  });
}
