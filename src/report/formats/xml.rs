//! XML from values: [`document`] and [`element`] over quick-xml's writer.
//!
//! Text must come through `foreign`, which leaves no character in it that XML forbids.

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

/// Writes to memory, which cannot fail.
pub(super) type Xml = Writer<Vec<u8>>;

/// A document: what `body` writes behind a declaration, indented, with a final newline.
pub(super) fn document(body: impl FnOnce(&mut Xml) -> std::io::Result<()>) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let declared = writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    // Memory is written to, and the writer's own checks concern what it reads.
    let _ = declared.and_then(|()| body(&mut writer));
    String::from_utf8_lossy(&writer.into_inner()).into_owned() + "\n"
}

/// An element with attributes and what `inside` writes.
pub(super) fn element(
    xml: &mut Xml,
    name: &'static str,
    attributes: &[(&str, &str)],
    inside: impl FnOnce(&mut Xml) -> std::io::Result<()>,
) -> std::io::Result<()> {
    xml.create_element(name).with_attributes(attributes.iter().copied()).write_inner_content(inside)?;
    Ok(())
}

/// An element without content.
pub(super) fn empty(xml: &mut Xml, name: &'static str, attributes: &[(&str, &str)]) -> std::io::Result<()> {
    xml.create_element(name).with_attributes(attributes.iter().copied()).write_empty()?;
    Ok(())
}

/// An element that holds text.
pub(super) fn text(
    xml: &mut Xml,
    name: &'static str,
    attributes: &[(&str, &str)],
    text: &str,
) -> std::io::Result<()> {
    xml.create_element(name)
        .with_attributes(attributes.iter().copied())
        .write_text_content(BytesText::new(text))?;
    Ok(())
}
