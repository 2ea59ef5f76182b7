// A campaign file as a small tree of values, each knowing where it was written.
// The only place that sees toml++; hostile text is refused before it gets there.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limrisk {

struct Member;

/// One value of the tree.
struct Node {
    enum class Kind { Table, Array, Text, Integer, Real, Boolean, Date } kind = Kind::Table;
    std::string place;  ///< "file:12" or "command line (--set network.width)"
    std::string text;   ///< Text
    std::int64_t integer = 0;
    double real = 0;
    bool boolean = false;
    std::vector<Node> items;      ///< Array
    std::vector<Member> members;  ///< Table, in the order of their keys

    const Node* find(std::string_view key) const;
    Node* find(std::string_view key);
    /// The value as a person would recognise it, at most about 60 characters.
    std::string shown() const;
};

struct Member {
    std::string key;
    Node value;
};

/// Node::place of what was read from the description of a cell.
inline constexpr const char* description_place = "cell description";

/// Limits of what is read at all, far beyond any honest campaign.
inline constexpr std::size_t max_campaign_bytes = std::size_t{1} << 20;
inline constexpr int max_nesting = 16;    ///< brackets and braces inside each other
inline constexpr int max_key_parts = 16;  ///< parts of a dotted key

/// Parses TOML. Throws ConfigError: too large, nested too deep, or not TOML (with line and column).
Node parse_document(std::string_view text, const std::string& source);

/// Replaces the value at dotted `key` by `value` (TOML; a word or a range that is no TOML is taken as a string), creating tables on the
/// way, in every element of a list on the way. `origin` ("--set") goes into messages. Appends to `problems` what is wrong.
void override_value(Node& root, const std::string& key, const std::string& value, const std::string& origin,
                    std::vector<std::string>& problems);

/// Text that the TOML parser may see: the same document in ASCII. `problem` ("line: what") is empty if there is none: brackets nested too
/// deep, key paths too long, characters where TOML has none. Linear, no recursion.
struct Screened {
    std::string text;
    std::string problem;
};
Screened screen(std::string_view text);

/// `text` cut to `length` bytes with "...", control characters and broken UTF-8 replaced, for messages.
std::string abbreviated(std::string_view text, std::size_t length = 60);

}  // namespace limrisk
