//! Tests of definitions, line by line, a language a test.

use super::*;

#[track_caller]
fn check(extension: &str, lines: &[(&str, &str)]) {
    let language = Language::of(&format!("src/file.{extension}"));
    let told = |line: &str| {
        let found = definition(line, language)?;
        Some(found.of.map_or(found.name.to_owned(), |of| format!("{of}.{}", found.name)))
    };
    let found: Vec<_> = lines.iter().map(|(line, _)| (*line, told(line).unwrap_or_default())).collect();
    let expect: Vec<_> = lines.iter().map(|(line, name)| (*line, (*name).to_owned())).collect();
    assert_eq!(found, expect);
}

#[test]
fn rust() {
    check(
        "rs",
        &[
            ("pub(crate) async fn run<T>(x: T) -> T {", "run"),
            ("    #[inline] pub const unsafe extern \"C\" fn callback(", "callback"),
            ("impl<T: Into<U>> Display for Tally<T> {", "Tally"),
            ("impl<'a> fmt::Debug for &'a Tally<'a> where T: X {", "Tally"),
            ("macro_rules! check {", "check"),
            ("mod tests {", "tests"),
            ("    serve(listener, |socket| {", ""),
            ("let type_of = 3;", ""),
            ("return impl_of(x);", ""),
        ],
    );
}

#[test]
fn go_and_python() {
    check(
        "go",
        &[
            ("func (s *Server) Close() error {", "Server.Close"),
            ("func (List[T]) Len() int {", "List.Len"),
            ("func main() {", "main"),
            ("type Panel struct {", "Panel"),
            ("go func() {", ""),
        ],
    );
    check(
        "py",
        &[
            ("    async def fetch(self, url):", "fetch"),
            ("class Session(Base):", "Session"),
            ("@app.route(\"/x\")", ""),
            ("type = def_of(x)", ""),
        ],
    );
}

#[test]
fn scripts() {
    check(
        "tsx",
        &[
            ("export default class Panel extends View {", "Panel"),
            ("export async function* pages() {", "pages"),
            ("const add = (a, b) => a + b;", "add"),
            ("export const load: Loader<A> = async ({ params }) => {", "load"),
            ("const AIThinking = memo(", "AIThinking"),
            ("  const close = useCallback(async () => {", "close"),
            ("export const Row = React.memo(function Row({ item }: Props) {", "Row"),
            ("Foo.prototype.bar = function (x) {", "Foo.bar"),
            ("  private static async save<T>(x: T): Promise<void> {", "save"),
            ("  constructor(", "constructor"),
            ("  get size() {", "size"),
            ("  #drain() {", "drain"),
            ("  onSave: (name: string) => {", "onSave"),
            ("  handle: async function (x) {", "handle"),
            ("  onClose: () => void;", ""),
            ("  if (x) {", ""),
            ("  } else if (x) {", ""),
            ("  describe(\"it\", () => {", ""),
            ("const x = call(a, {", ""),
            ("const ok = a => a.b == c", "ok"),
            ("return items.map((x) => {", ""),
        ],
    );
}

#[test]
fn java_and_its_like() {
    check(
        "java",
        &[
            ("    @Override public List<Map<String, Integer>> load(int a) throws IOException {", "load"),
            ("public final class Cache<K> extends Base<K> {", "Cache"),
            ("    Cache(int size) {", "Cache"),
            ("    public static <T> T of(", "of"),
            ("    return build(a,", ""),
            ("    new Thread(run,", ""),
            ("    client.send(x) {", ""),
            ("    for (int i = 0; i < n; i++) {", ""),
            ("    int n = count(a,", ""),
        ],
    );
    check(
        "cs",
        &[
            ("    protected override void LoadComplete()", "LoadComplete"),
            ("    public IEnumerable<(Footer, Overlay?)> Buttons() =>", "Buttons"),
            ("    [HttpGet] public async Task<int> Count(int a)", "Count"),
            ("    internal SessionState Target", "Target"),
            ("    public int Total => 3;", "Total"),
            ("    private readonly int total;", ""),
            ("    throw new InvalidOperationException(", ""),
        ],
    );
    check(
        "kt",
        &[
            ("    override suspend fun String.shout(times: Int) = x", "String.shout"),
            ("internal data class Point(val x: Int)", "Point"),
            ("fun <T> List<T>.second(): T {", "List.second"),
        ],
    );
    check("swift", &[("  mutating func pop() -> T? {", "pop"), ("extension Array: Stack {", "Array")]);
    check("scala", &[("  def fold[A](x: A): A = {", "fold"), ("case class Node(x: Int)", "Node")]);
}

#[test]
fn c_and_its_like() {
    check(
        "cc",
        &[
            ("static int next_token(struct lexer *l)", "next_token"),
            ("struct foo *make(int x) {", "make"),
            ("struct foo bar = {", ""),
            ("struct foo {", "foo"),
            ("enum class Color : int {", "Color"),
            ("class CORE_EXPORT Server final : public Base {", "Server"),
            ("void net::Server::stop() const {", "Server.stop"),
            ("Server::~Server() {", "Server.Server"),
            ("ts_parse(const List *elems,", "ts_parse"),
            ("TEST_F(Suite, Closes) {", "Closes"),
            ("- (void)closeWith:(int)x {", "closeWith"),
            ("  v8::Scope scope(", ""),
            ("  return find(a,", ""),
            ("  stop(x);", ""),
            ("  a->b(c) {", ""),
            ("#define X(a) a", ""),
        ],
    );
}

#[test]
fn others() {
    check(
        "rb",
        &[("  def self.find(id)", "find"), ("class Net::Server < Base", "Net.Server"), ("def ok?", "ok")],
    );
    check(
        "php",
        &[("    public static function make(int $x): static", "make"), ("final class A extends B", "A")],
    );
    check(
        "ex",
        &[
            ("  defp close(socket) when is_port(socket) do", "close"),
            ("defmodule Net.Server do", "Net.Server"),
        ],
    );
    check("sh", &[("build_all() {", "build_all"), ("function deploy {", "deploy"), ("if run; then", "")]);
    check("lua", &[("local function close(x)", "close"), ("", ""), ("{ (", "")]);
}
