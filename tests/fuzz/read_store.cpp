// See read_store.hpp.
#include "read_store.hpp"

#include <fstream>
#include <iterator>

#include "analysis/comparison.hpp"
#include "report/comparison_text.hpp"
#include "report/export.hpp"
#include "report/report.hpp"
#include "report/summary_text.hpp"
#include "store/store.hpp"
#include "trajectory/trajectory.hpp"

namespace limrisk::fuzz {

std::string everything_shown(const std::filesystem::path& path, const std::filesystem::path& scratch) {
    const Store store = Store::open(path);
    std::string text;
    std::vector<CellTrajectory> trajectories;
    for (const StoredDocument& document : store.documents(document_kind::trajectory))
        trajectories.push_back(trajectory_from_json(document.text));
    for (const ExportFormat format : {ExportFormat::Csv, ExportFormat::Json, ExportFormat::Npz}) {
        if (format == ExportFormat::Npz && store.contents() == StoreContents::Summary) continue;
        (void)export_store(store, format, scratch, true);
        std::ifstream file(scratch, std::ios::binary);
        text.append(std::istreambuf_iterator<char>(file), {});
    }
    if (store.keep().any()) {
        (void)export_kept_parameters(store, scratch, true);
        std::ifstream file(scratch, std::ios::binary);
        text.append(std::istreambuf_iterator<char>(file), {});
    }
    const StoreSummary summary = summarize(store);
    text += summary_table(summary) + summary_json(summary) + summary_csv(summary);
    const std::vector<CellGroup> groups = cell_groups(summary);
    const std::vector<FigureSection> sections = report_figures(summary, groups, trajectories);
    std::size_t figures = 0;
    for (const FigureSection& section : sections) {
        for (const FigureGroup& group : section.groups) {
            for (const Figure& figure : group.figures) text += figure.name + figure.script + figure_csv(figure.table);
            figures += group.figures.size();
        }
    }
    text += report_page(summary, groups, trajectories, sections, std::vector<std::string>(figures), {"store.db", "0"});
    if (store.contents() == StoreContents::Trials && !store.stopping())
        text += comparison_json(compare_cells(store, summary, "optimizer"), summary);
    return text;
}

}  // namespace limrisk::fuzz
