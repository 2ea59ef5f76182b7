// One name per field, the same in both directions.
#include "optimum/optimum_json.hpp"

#include <fmt/format.h>

#include "limrisk/error.hpp"

namespace limrisk::optimum {
namespace {

using nlohmann::ordered_json;

ordered_json maybe(const std::optional<double>& value) { return value ? ordered_json(*value) : ordered_json(nullptr); }

std::optional<double> maybe(const ordered_json& value) {
    return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
}

}  // namespace

ordered_json to_json(const Optimum& optimum) {
    return {{"width", optimum.width},
            {"risk", optimum.risk},
            {"attained", optimum.attained},
            {"method", optimum.method},
            {"shape", optimum.shape},
            {"starts", optimum.starts},
            {"reached", optimum.reached},
            {"spread", optimum.spread},
            {"next_level", maybe(optimum.next)},
            {"lower_bound", maybe(optimum.lower_bound)},
            {"global", optimum.is_global()},
            {"gradient_norm", optimum.gradient_norm},
            {"least_squares_gap", optimum.least_squares_gap},
            {"curvature", maybe(optimum.curvature)},
            {"ended", optimum.ended},
            {"integral", optimum.exact ? "exact" : "points"},
            {"fitted_risk", optimum.fitted_risk},
            {"confirmed_risk", optimum.confirmed_risk},
            {"confirmation", optimum.confirmation()},
            {"program_risk", optimum.program_risk},
            {"allowance", optimum.allowance},
            {"parameters", optimum.parameters}};
}

ordered_json to_json(const Level& level) {
    const LevelCertificate& certificate = level.certificate;
    return {{"risk", level.risk},
            {"shape", level.shape},
            {"neurons", level.neurons},
            {"optimum_of_width", level.optimum_of ? ordered_json(*level.optimum_of) : ordered_json(nullptr)},
            {"certificate",
             {{"same_realization", certificate.same_realization},
              {"inactive_radius", certificate.radius},
              {"gradient_norm", certificate.gradient_norm},
              {"smallest_eigenvalue", certificate.smallest_eigenvalue},
              {"largest_eigenvalue", certificate.largest_eigenvalue},
              {"evidence", certificate.evidence},
              {"certified", certificate.certified}}},
            {"parameters", level.parameters}};
}

Optimum optimum_from_json(const std::string& text) {
    try {
        const ordered_json json = ordered_json::parse(text);
        Optimum optimum;
        optimum.width = json.at("width").get<std::int64_t>();
        optimum.risk = json.at("risk").get<double>();
        optimum.attained = json.at("attained").get<bool>();
        optimum.method = json.at("method").get<std::string>();
        optimum.shape = json.at("shape").get<std::string>();
        optimum.starts = json.at("starts").get<int>();
        optimum.reached = json.at("reached").get<int>();
        optimum.spread = json.at("spread").get<double>();
        optimum.next = maybe(json.at("next_level"));
        optimum.lower_bound = maybe(json.at("lower_bound"));
        optimum.gradient_norm = json.at("gradient_norm").get<double>();
        optimum.least_squares_gap = json.at("least_squares_gap").get<double>();
        optimum.curvature = maybe(json.at("curvature"));
        optimum.ended = json.at("ended").get<std::string>();
        optimum.exact = json.at("integral").get<std::string>() == "exact";
        optimum.fitted_risk = json.at("fitted_risk").get<double>();
        optimum.confirmed_risk = json.at("confirmed_risk").get<double>();
        optimum.program_risk = json.at("program_risk").get<double>();
        optimum.allowance = json.at("allowance").get<double>();
        optimum.parameters = json.at("parameters").get<std::vector<double>>();
        return optimum;
    } catch (const nlohmann::json::exception& error) {
        throw StoreError(ExitCode::Data, fmt::format("a stored optimum cannot be read: {}", error.what()));
    }
}

std::string levels_to_json(const std::vector<Level>& levels) {
    ordered_json all = ordered_json::array();
    for (const Level& level : levels) all.push_back(to_json(level));
    return all.dump();
}

std::vector<Level> levels_from_json(const std::string& text) {
    try {
        std::vector<Level> levels;
        for (const ordered_json& json : ordered_json::parse(text)) {
            Level level;
            level.risk = json.at("risk").get<double>();
            level.shape = json.at("shape").get<std::string>();
            level.neurons = json.at("neurons").get<std::int64_t>();
            if (const ordered_json& width = json.at("optimum_of_width"); !width.is_null()) level.optimum_of = width.get<std::int64_t>();
            level.parameters = json.at("parameters").get<std::vector<double>>();
            const ordered_json& certificate = json.at("certificate");
            // Catalogues of earlier versions called evidence certified, too.
            const bool certified = certificate.at("certified").get<bool>(), named = certificate.contains("evidence");
            level.certificate = {certificate.at("same_realization").get<bool>(),
                                 certificate.at("inactive_radius").get<double>(),
                                 certificate.at("gradient_norm").get<double>(),
                                 certificate.at("smallest_eigenvalue").get<double>(),
                                 certificate.at("largest_eigenvalue").get<double>(),
                                 named ? certificate.at("evidence").get<bool>() : certified,
                                 named && certified};
            levels.push_back(std::move(level));
        }
        return levels;
    } catch (const nlohmann::json::exception& error) {
        throw StoreError(ExitCode::Data, fmt::format("a stored catalogue of levels cannot be read: {}", error.what()));
    }
}

}  // namespace limrisk::optimum
