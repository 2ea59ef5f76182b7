// A report as one HTML file: what stands where. See page.hpp.
#include "report/page.hpp"

#include <fmt/format.h>

#include <string_view>

#include "analysis/stopping_statement.hpp"
#include "report/figures.hpp"
#include "report/markup.hpp"
#include "report/sentence.hpp"
#include "text/number_text.hpp"

namespace limrisk {
namespace {

constexpr std::size_t few_sentences = 12;

std::string figure_element(const Figure& figure, const std::string& svg) {
    std::string text = fmt::format("<figure id=\"{}\">\n<figcaption>{}</figcaption>\n{}", figure.name, element("b", figure.title), svg);
    if (!figure.caption.empty()) text += "<figcaption class=\"soft\">" + prose(figure.caption) + "</figcaption>\n";
    return text + "</figure>\n";
}

/// `next`: the place of the first figure in `svgs`; moves on.
std::string figures_section(const FigureSection& section, const std::vector<std::string>& svgs, std::size_t& next,
                            const std::string& rest) {
    std::string text = fmt::format("<section id=\"{0}\" aria-labelledby=\"{0}-heading\">\n<h2 id=\"{0}-heading\">{1}</h2>\n", section.id,
                                   escaped(section.heading));
    text += "<p>" + prose(section.explanation) + "</p>\n";
    for (const FigureGroup& group : section.groups) {
        std::string figures = "<div class=\"figures\">\n";
        for (const Figure& figure : group.figures) figures += figure_element(figure, svgs.at(next++));
        figures += "</div>\n";
        const std::string label = group.label.empty() ? "more cells" : group.label;
        if (group.folded)
            text +=
                "<details>" +
                element("summary", fmt::format("{} ({})", label, counted(static_cast<std::int64_t>(group.figures.size()), "more figure"))) +
                "\n" + figures + "</details>\n";
        else
            text += (group.label.empty() ? "" : element("h3", group.label) + "\n") + figures;
    }
    return text + rest + "</section>\n";
}

std::string words_section(const StoreSummary& summary, const std::vector<CellGroup>& groups) {
    const std::vector<std::string> texts = sentences(summary);
    std::string items;
    std::size_t count = 0;
    for (const CellGroup& group : groups) {
        for (const std::size_t k : group.cells) {
            items += element("li", texts[k]) + "\n";
            ++count;
        }
    }
    if (count == 0) return "";
    items = "<ul>\n" + items + "</ul>\n";
    if (count > few_sentences)
        items = "<details>" + element("summary", counted(static_cast<std::int64_t>(count), "sentence") + ", one per cell") + "\n" + items +
                "</details>\n";
    return "<section id=\"words\" aria-labelledby=\"words-heading\">\n<h2 id=\"words-heading\">In words</h2>\n" + items + "</section>\n";
}

std::string head(const StoreSummary& summary) {
    std::int64_t done = 0, stored = 0, incomplete = 0;
    bool ruled = false;
    for (const CellSummary& cell : summary.cells) {
        done += cell.done;
        stored += cell.stored;
        ruled = ruled || cell.stopping;
        incomplete += cell.stopping ? !cell.stopping->finished : cell.done < trials_wanted(cell, summary.campaign);
    }
    const auto cells = static_cast<std::int64_t>(summary.cells.size());
    std::string text = "<header>\n" + element("h1", summary.campaign.name) + "\n";
    const std::vector<std::string> common = common_parameters(summary);
    text += element("p", fmt::format("{}, {} in all. {}{}", counted(cells, "cell"), counted(done, "trial"),
                                     cells > 1 && !common.empty() ? "Common to all: " : "", fmt::join(common, ", "))) +
            "\n";
    if (incomplete > 0) {
        const std::string wanted = ruled                    ? "fewer trials than the stopping rule wants"
                                   : !summary.parts.empty() ? "fewer trials than their campaign wants"
                                                            : "fewer than " + counted(summary.campaign.trials, "trial");
        text += element("p",
                        fmt::format("Incomplete: {} of {} have {}. Run the same command to continue.", incomplete, counted(cells, "cell"),
                                    wanted),
                        "class=\"bad\"") +
                "\n";
    }
    if (ruled)
        text += element("p",
                        "A stopping rule decides which trials count. The intervals are valid if the rule was chosen before the results "
                        "were seen.") +
                "\n";
    if (!ruled && stored > done)
        text += element("p", fmt::format("Not counted: {} behind a gap.", counted(stored - done, "stored trial")), "class=\"bad\"") + "\n";
    for (const std::string& warning : summary.warnings) text += element("p", "Warning: " + warning, "class=\"bad\"") + "\n";
    return text;
}

}  // namespace

std::string report_page(const StoreSummary& summary, const std::vector<CellGroup>& groups, const std::vector<CellTrajectory>& trajectories,
                        const std::vector<FigureSection>& sections, const std::vector<std::string>& svgs, const ReportOrigin& origin,
                        const StoreComparison* comparison) {
    std::vector<std::pair<std::string, std::string>> contents;  // id, heading
    std::string body;
    const auto add = [&](const std::string& part, const std::string& id, const std::string& heading) {
        if (part.empty()) return;
        contents.emplace_back(id, heading);
        body += part;
    };
    add(words_section(summary, groups), "words", "In words");
    add(cells_section(summary, groups), "cells", "Predicted, certified, measured");
    add(verdicts_section(summary, groups), "verdicts", "Verdicts");
    add(restarts_section(summary, groups), "restarts", "Best of several restarts");
    add(rule_section(summary, groups), "rule", "Stopping rule");
    std::size_t next = 0;
    for (const FigureSection& section : sections) {
        const std::string table = section.id == "rate"           ? rates_table(summary)
                                  : section.id == "strata"       ? strata_table(summary)
                                  : section.id == "trajectories" ? identities_table(summary, groups, trajectories)
                                  : section.id == "comparison"   ? comparison_section_table(*comparison)
                                                                 : std::string();
        add(figures_section(section, svgs, next, table), section.id, section.heading);
    }
    add(levels_section(summary, groups), "levels", "Levels");
    add(averages_section(summary, groups), "averages", "Averages of the iterates");
    add(validation_section(summary, groups), "validation", "Validation risks");
    add(kinks_section(summary, groups), "kinks", "Kinks and training points");
    add(limits_section(summary, groups), "limits", "Proved limits");
    add(floors_section(summary, groups), "floors", "Risk floors");
    add(checks_section(summary, groups), "checks", "Theorems");
    add(origin_section(summary, origin), "origin", "Origin of the results");

    std::string page = "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n";
    page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n";
    page += "<meta name=\"color-scheme\" content=\"light dark\"/>\n";
    // Says to the browser what the page promises: nothing is loaded, nothing runs.
    page += "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n";
    page += fmt::format("<meta name=\"generator\" content=\"limrisk {}\"/>\n", escaped(origin.version));
    page += element("title", summary.campaign.name + " – limrisk report") + "\n<style>" + page_style + "</style>\n</head>\n<body>\n";
    page += head(summary) + "<nav aria-label=\"Contents\"><ul>\n";
    for (const auto& [id, heading] : contents) page += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", id, escaped(heading));
    return page + "</ul></nav>\n</header>\n<main>\n" + body + "</main>\n</body>\n</html>\n";
}

}  // namespace limrisk
