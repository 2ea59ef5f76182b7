// One picture: what is drawn, the numbers behind it, and what it shows in words.
#pragma once
#include <string>
#include <vector>

namespace limrisk {

/// The numbers of a figure, for its CSV file; the columns are in docs/report.md. Every row has as many entries as there are heads.
struct FigureTable {
    std::vector<std::string> heads;
    std::vector<std::vector<std::string>> rows;
};

struct Figure {
    std::string name;               ///< stem of its files and prefix of its ids: a-z, 0-9 and '-'
    std::string title;              ///< above it
    std::string context;            ///< what the heading above a group of figures says already; may be empty
    std::string meaning;            ///< what it shows, for those who cannot see it
    std::string caption;            ///< below it: what the picture leaves out; may be empty
    int width = 400, height = 300;  ///< pixels of 1/96 inch
    FigureTable table;
    std::string script;  ///< for gnuplot, between the choice of a terminal and the end of its output
};

/// Figures that stand side by side.
struct FigureGroup {
    std::string label;  ///< what their cells have in common; may be empty
    bool folded = false;
    std::vector<Figure> figures;
};

struct FigureSection {
    std::string id, heading;
    std::string explanation;  ///< how to read the figures, or why there are none
    std::vector<FigureGroup> groups;
};

}  // namespace limrisk
