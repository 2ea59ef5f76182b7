// Validators and the choice of a backend.
#include "cli/options.hpp"

#include <fmt/format.h>

#include <charconv>

#include "limrisk/error.hpp"

namespace limrisk::cli {

CLI::Validator whole_number(std::uint64_t low, std::uint64_t high) {
    const std::string range =
        high == UINT64_MAX ? fmt::format("a whole number from {}", low) : fmt::format("a whole number from {} to {}", low, high);
    const auto check = [low, high, range](std::string& text) -> std::string {
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
            return fmt::format("'{}' is not {}", text, range);
        text = std::to_string(value);
        return "";
    };
    return CLI::Validator(check, "");
}

void add_backend_options(CLI::App& command, BackendChoice& choice) {
    command.add_option("--backend", choice.name, "auto or cpu (this build has no CUDA backend)")->type_name("NAME")->capture_default_str();
    command.add_option("--threads", choice.threads, "threads of the CPU backend; default: one per core")
        ->type_name("N")
        ->transform(whole_number(1, 4096));
}

std::unique_ptr<Backend> make_backend(const BackendChoice& choice) {
    if (choice.name == "cuda")
        throw DeviceError("--backend cuda: this build of limrisk has no CUDA backend; --backend cpu (or auto) runs the same kernels");
    if (choice.name != "auto" && choice.name != "cpu")
        throw Error(ExitCode::Usage, fmt::format("--backend {}: there is no such backend; known are auto and cpu", choice.name));
    return make_cpu_backend(choice.threads);
}

std::string examples(std::initializer_list<const char*> lines) {
    std::string text = "EXAMPLES";
    for (const char* line : lines) text += std::string("\n  ") + line;
    return text;
}

}  // namespace limrisk::cli
