// A report of a store: from the summary to files; see report.hpp.
#include "report/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "files/output_file.hpp"
#include "limrisk/error.hpp"
#include "report/csv_text.hpp"
#include "report/figures.hpp"
#include "report/gnuplot.hpp"
#include "report/svg.hpp"

namespace limrisk {

namespace fs = std::filesystem;

namespace {

/// A file and what is to be in it.
struct Output {
    fs::path path;
    std::string bytes;
};

void make_directory(const fs::path& directory) {
    std::error_code error;
    fs::create_directories(directory, error);
    if (error || !fs::is_directory(directory)) {
        throw Error(ExitCode::InputOutput, fmt::format("{}: cannot be used as a directory for figures: {}", directory.string(),
                                                       error ? error.message() : "not a directory"));
    }
}

/// Throws as writing it would, if the file must not be written; leaves nothing behind.
void check_writable(const fs::path& path, bool force) { const OutputFile probe(path, force); }

/// The page is the last of them: where it is, all is there.
void write_outputs(const std::vector<Output>& outputs, bool force) {
    for (const Output& output : outputs) check_writable(output.path, force);
    for (const Output& output : outputs) {
        OutputFile file(output.path, force);
        file.write(output.bytes);
        file.commit();
    }
}

}  // namespace

std::vector<FigureSection> report_figures(const StoreSummary& summary, const std::vector<CellGroup>& groups,
                                          const std::vector<CellTrajectory>& trajectories, const StoreComparison* comparison) {
    std::vector<FigureSection> sections{probability_figures(summary, groups), rate_figures(summary, groups), risk_figures(summary, groups),
                                        inactive_figures(summary, groups), trajectory_figures(summary, groups, trajectories)};
    if (comparison != nullptr) sections.insert(sections.begin() + 1, comparison_figures(*comparison, summary));
    if (FigureSection valleys = valley_figures(summary, groups); !valleys.groups.empty()) {
        const auto risks = std::find_if(sections.begin(), sections.end(), [](const FigureSection& of) { return of.id == "risk"; });
        sections.insert(risks + 1, std::move(valleys));
    }
    const auto after_rates = std::find_if(sections.begin(), sections.end(), [](const FigureSection& of) { return of.id == "rate"; }) + 1;
    if (!summary.strata.empty() || !summary.no_strata.empty()) sections.insert(after_rates, reach_figures(summary));
    return sections;
}

std::string figure_csv(const FigureTable& table) {
    std::string text;
    const auto line = [&](const std::vector<std::string>& entries) {
        for (std::size_t k = 0; k < entries.size(); ++k) text += (k == 0 ? "" : ",") + csv_text(entries[k]);
        text += '\n';
    };
    line(table.heads);
    for (const std::vector<std::string>& row : table.rows) line(row);
    return text;
}

std::size_t write_report(const StoreSummary& summary, const std::vector<CellTrajectory>& trajectories, const ReportOrigin& origin,
                         const ReportFiles& files, const StoreComparison* comparison) {
    check_writable(files.page, files.force);  // before any work
    const fs::path gnuplot = find_gnuplot();
    const std::vector<CellGroup> groups = cell_groups(summary);
    const std::vector<FigureSection> sections = report_figures(summary, groups, trajectories, comparison);
    std::vector<Figure> figures;
    for (const FigureSection& section : sections) {
        for (const FigureGroup& group : section.groups) figures.insert(figures.end(), group.figures.begin(), group.figures.end());
    }
    std::vector<std::string> svgs = draw(gnuplot, figures, FigureFormat::Svg);
    for (std::size_t k = 0; k < figures.size(); ++k) svgs[k] = adapted_svg(svgs[k], figures[k]);

    std::vector<Output> outputs;
    if (files.figures) {
        make_directory(*files.figures);
        std::vector<std::string> pdfs = draw(gnuplot, figures, FigureFormat::Pdf);
        for (std::size_t k = 0; k < figures.size(); ++k) {
            const fs::path stem = *files.figures / figures[k].name;
            outputs.push_back({stem.string() + ".svg", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + svgs[k]});
            outputs.push_back({stem.string() + ".pdf", std::move(pdfs[k])});
            outputs.push_back({stem.string() + ".csv", figure_csv(figures[k].table)});
        }
    }
    outputs.push_back({files.page, report_page(summary, groups, trajectories, sections, svgs, origin, comparison)});
    write_outputs(outputs, files.force);
    return figures.size();
}

}  // namespace limrisk
