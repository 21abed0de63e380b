//! Places that are named by a function or type.

use super::*;

#[test]
fn symbols_stand_where_they_are_defined_or_mentioned() {
    at_symbol("stop", "context net/src/server.rs:41-41 stop |     fn stop(&mut self) { | -");
    at_symbol(
        "Server::stop()",
        "context net/src/server.rs:41-41 Server::stop() |     fn stop(&mut self) { | -",
    );
    at_symbol(
        "serve",
        "changed net/src/server.rs:12-12 serve |         let socket = listener.accept()?; | -",
    );
    at_symbol("spawn", "context net/src/server.rs:14-14 spawn |         spawn(socket); | -");
    at_symbol("elsewhere", "file net/src/server.rs elsewhere | - | -");
    at_symbol("()", "file net/src/server.rs () | - | -");
}

const TYPES: &str = "@@ -1,24 +1,25 @@
 impl Server {
     fn stop(&mut self) {
         self.run();
     }
 }

 impl Client {
     fn stop(&mut self) {
+        self.socket.close();
     }
 }

 fn main() {
     Pool::start(3);
     Client::stop();
 }
@@ -40,3 +41,4 @@ impl Pool {
         a();
+        b();
     }
 }
";

#[test]
fn a_qualifier_that_is_shown_must_be_the_one_named() {
    let check = |symbol: &str, expect: &str| {
        let change = [bundle("c1_x", vec![patch("src/net.rs", TYPES)])];
        let placed = anchor(vec![finding("src/net.rs", None, Some(symbol), None)], Some(&change[0]), &change);
        let line = placed[0].lines.map_or_else(|| "-".to_owned(), |lines| lines.start.to_string());
        assert_eq!(format!("{} {line}", placed[0].anchor.word()), expect, "{symbol}");
    };
    check("Server::stop", "context 2");
    check("Client::stop", "context 8");
    check("function Client.stop()", "context 8");
    check("client.stop", "context 8");
    check("net::stop", "context 2");
    check("stop", "context 2");
    check("socket.stop()", "context 2");
    check("Router::stop", "file -");
    check("Router::run", "context 3");
    check("main", "context 13");
    check("Pool", "changed 42");
    check("Pool::start", "context 14");
    check("Server<T>", "context 1");
    check("stop/1", "context 2");
}

#[test]
fn a_block_ends_where_its_brace_is_closed() {
    let change = [bundle("c1_x", vec![patch("src/net.rs", TYPES)])];
    let symbols = |line: u32| {
        let one = finding("src/net.rs", Some((line, line)), None, None);
        anchor(vec![one], Some(&change[0]), &change).remove(0).symbol.unwrap_or_default()
    };
    let told: Vec<_> = [1, 2, 3, 4, 5, 6, 7, 9, 11, 12, 14, 16, 42, 44].map(symbols).to_vec();
    assert_eq!(
        told,
        [
            "Server", "stop", "stop", "stop", "Server", "", "Client", "stop", "Client", "", "main", "main",
            "Pool", "Pool"
        ]
    );
}
