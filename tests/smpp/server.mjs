// An SMS centre for tests, by the npm package `smpp`. Its settings are the first argument, as JSON; what
// it is told comes in as lines of JSON, what it sees goes out as such.
//
// Settings: {system_id, password, certificate?, key?}. Told: {"mode": "ok" | "throttle" | "silent" |
// "hangup" | "nobody", "status": NUMBER, "times": NUMBER}, {"receipt": {"text": …} | {"id": …, "state": …}},
// {"close": true}. Seen: {"port"}, {"bind"}, {"submit"}, {"enquire"}, {"receipt"}, {"unbind"}.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import smpp from "smpp";

const settings = JSON.parse(process.argv[2]);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
let told = { mode: "ok" };
let messages = 0;
const sessions = new Set();

const tls = settings.certificate && {
  cert: readFileSync(settings.certificate),
  key: readFileSync(settings.key),
};
const server = smpp.createServer(tls || {}, (session) => {
  sessions.add(session);
  session.on("close", () => sessions.delete(session));
  // Cut connections and garbage are what the tests send.
  session.on("error", () => session.destroy());
  session.on("bind_transceiver", (pdu) => {
    const { system_id, password, system_type, interface_version } = pdu;
    say({ bind: { system_id, system_type, interface_version } });
    const fine = system_id === settings.system_id && password === settings.password;
    session.send(pdu.response({ command_status: fine ? 0 : 0x0e, system_id: "centre" }));
  });
  session.on("enquire_link", (pdu) => {
    say({ enquire: true });
    if (told.mode !== "nobody") session.send(pdu.response());
  });
  session.on("unbind", (pdu) => {
    say({ unbind: true });
    session.send(pdu.response());
    session.close();
  });
  session.on("submit_sm", (pdu) => {
    const is_refused = told.times === undefined || told.times-- > 0;
    const mode = is_refused ? told.mode : "ok";
    const id = `m${++messages}`;
    say({
      submit: {
        id,
        mode,
        to: pdu.destination_addr,
        to_ton: pdu.dest_addr_ton,
        from: pdu.source_addr,
        from_ton: pdu.source_addr_ton,
        esm_class: pdu.esm_class,
        registered_delivery: pdu.registered_delivery,
        data_coding: pdu.data_coding,
        text: pdu.short_message.message.toString(),
        header: pdu.short_message.udh?.map((each) => Buffer.from(each).toString("hex")) ?? null,
      },
    });
    if (mode === "silent" || mode === "nobody") return;
    if (mode === "hangup") return session.destroy();
    const command_status = mode === "throttle" ? 0x58 : mode === "status" ? told.status : 0;
    session.send(pdu.response(command_status ? { command_status } : { message_id: id }));
  });
});
server.listen(0, "127.0.0.1", () => say({ port: server.address().port }));

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const order = JSON.parse(line);
    if (order.mode) told = order;
    if (order.close) for (const session of sessions) session.destroy();
    if (order.receipt) {
      const { text, id, state } = order.receipt;
      const fields = id ? { receipted_message_id: id, message_state: state } : {};
      const pdu = { esm_class: 4, source_addr: "8613800000000", short_message: text ?? "", ...fields };
      // Any bound session of an account may get its receipts.
      for (const session of [...sessions].slice(-1)) {
        session.deliver_sm(pdu, (answer) => say({ receipt: answer.command_status }));
      }
    }
    say({ done: true });
  })
  // Who started it is gone.
  .on("close", () => process.exit(0));
