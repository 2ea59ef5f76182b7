// Where the numbers of a report come from, and the commands that make them again; see page.hpp.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "limrisk/error.hpp"
#include "report/markup.hpp"
#include "report/page.hpp"

namespace limrisk {
namespace {

std::set<std::string> ids(const std::vector<CellConfig>& cells) {
    std::set<std::string> all;
    for (const CellConfig& cell : cells) all.insert(cell.id);
    return all;
}

/// Whether the campaign's text with these changes has the cells of the store.
bool same_cells(const StoreSummary& summary, const Overrides& overrides) {
    try {
        std::set<std::string> stored;
        for (const CellSummary& cell : summary.cells) stored.insert(cell.cell.id);
        return ids(parse_campaign(summary.campaign.text, "campaign.toml", overrides).cells) == stored;
    } catch (const Error&) {
        return false;
    }
}

/// The stopping rule of the file that the store keeps.
std::optional<StoppingCriterion> rule_of_file(const StoreSummary& summary) {
    try {
        return parse_campaign(summary.campaign.text, "campaign.toml").until;
    } catch (const Error&) {
        return std::nullopt;
    }
}

struct Recipe {
    std::string command, note;
};

/// The command that makes the store again, from the file that the store keeps. Its options are not kept, so they are found by trying.
Recipe recipe(const StoreSummary& summary) {
    Overrides overrides;
    overrides.trials = summary.campaign.trials;
    const auto ruled = std::ranges::find_if(summary.cells, [](const CellSummary& cell) { return cell.stopping.has_value(); });
    const auto rule = ruled == summary.cells.end() ? std::nullopt : std::optional(ruled->stopping->criterion),
               in_file = rule_of_file(summary);
    std::string command = fmt::format("limrisk run campaign.toml {}{} --store again.db", in_file && !rule ? "--set trials=" : "--trials ",
                                      summary.campaign.trials);
    std::string exact = "The file below, saved as campaign.toml, gives the same cells and the same trials, bit for bit";
    if (rule && summary.contents == StoreContents::Summary)
        exact += "; as many as its stopping rule needs, which are fewer where this store had more before the rule";
    if (rule && in_file != rule) exact += "; with the stopping rule, which was given with --set: " + rule->text();
    exact += '.';
    // A file of data points is not read here: it may be another one by now.
    if (names_data_file(summary.campaign.text))
        return {command,
                "The file below, saved as campaign.toml beside the file of data or starts that it names, with the options that were given, "
                "gives the same "
                "trials, bit for bit, if the data are the same: the store keeps a copy of data points and of starts, and refuses others."};
    if (same_cells(summary, overrides)) return {command, exact};
    if (summary.campaign.seed <= INT64_MAX) {
        overrides.seed = summary.campaign.seed;
        command += fmt::format(" --seed {}", summary.campaign.seed);
        if (same_cells(summary, overrides)) return {command, exact};
    }
    if (!summary.cells.empty()) {
        overrides.steps = summary.cells.front().cell.steps;
        command += fmt::format(" --steps {}", *overrides.steps);
        if (same_cells(summary, overrides)) return {command, exact};
    }
    return {command,
            "The file below, saved as campaign.toml, does not give the cells of this store by itself: they were made with --set, "
            "which a store does not keep, or by several campaign files. `limrisk export` has the full description of each cell."};
}

}  // namespace

std::string origin_section(const StoreSummary& summary, const ReportOrigin& origin) {
    const StoredCampaign& campaign = summary.campaign;
    std::string text =
        "<section id=\"origin\" aria-labelledby=\"origin-heading\">\n<h2 id=\"origin-heading\">Origin of the results</h2>\n<dl>\n";
    const auto entry = [&](const char* term, const std::string& value) { text += element("dt", term) + element("dd", value) + "\n"; };
    entry("campaign", campaign.name);
    entry("store", origin.store);
    entry("contents", summary.contents == StoreContents::Summary ? "summaries" : "every trial");
    if (summary.seeds.empty())
        entry("seed", std::to_string(campaign.seed));
    else
        entry("seeds", fmt::format("{}; their trials are pooled", fmt::join(summary.seeds, ", ")));
    if (summary.parts.empty()) {
        entry("trials per cell", std::to_string(campaign.trials));
        entry("created", campaign.created + " by limrisk " + campaign.version);
    }
    for (const StoredCampaign& part : summary.parts)
        entry("of them",
              fmt::format("{}: {}{} trials per cell, created {} by limrisk {}", part.name,
                          summary.seeds.empty() ? "" : fmt::format("seed {}, ", part.seed), part.trials, part.created, part.version));
    for (const std::string& backend : summary.backends) entry("computed by", backend);
    entry("report by", "limrisk " + origin.version);
    if (!summary.parts.empty())
        return text + "</dl>\n<p>" +
               prose("Several stores are read as one. The report of each has its campaign file and the commands that make it again.") +
               "</p>\n</section>\n";
    const Recipe again = recipe(summary);
    text += "</dl>\n<p>" + prose(again.note) + "</p>\n" + element("pre", again.command) + "\n";
    if (summary.contents == StoreContents::Trials) {
        text += element("p", "To run one trial again and compare it bit for bit:") + "\n";
        text += element("pre", "limrisk replay again.db --cell 0 --trial 0") + "\n";
    }
    text += "<details><summary>The campaign file</summary>\n<pre>" + escaped(campaign.text, true) + "</pre></details>\n</section>\n";
    return text;
}

}  // namespace limrisk
