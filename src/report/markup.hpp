// HTML that is well-formed XML as well, so that it can be checked strictly.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace limrisk {

/// Any text as character data or attribute value: valid UTF-8, no control characters, & < > " ' as entities. `lines`: newlines stay.
std::string escaped(std::string_view text, bool lines = false);

/// The same of a text of our own, whose `words in backquotes` become <code>.
std::string prose(std::string_view text);

/// "<name>text</name>" with the text escaped; `attributes`: as they are, such as `class="a"`.
std::string element(const std::string& name, std::string_view text, const std::string& attributes = "");

/// A table whose columns are numbers unless they are among the first `texts`.
class MarkupTable {
public:
    MarkupTable(const std::string& caption, const std::vector<std::string>& heads, std::size_t texts = 1);
    void row(const std::vector<std::string>& cells);
    /// A row that names what follows.
    void heading(const std::string& text);
    bool empty() const { return rows_ == 0; }
    std::size_t rows() const { return rows_; }
    /// In a box that scrolls by itself where the page is narrow.
    std::string text() const;

private:
    std::string caption_, head_, body_;
    std::size_t columns_, texts_, rows_ = 0;
    bool open_ = false;  ///< a group of rows is open
};

}  // namespace limrisk
