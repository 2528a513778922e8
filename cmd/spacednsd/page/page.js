/* Shows what the server serves. */
const shown = document.getElementById("status");

async function show() {
    try {
        const response = await fetch("api/v1/spaces");
        const answer = await response.json();
        shown.textContent = response.ok
            ? `Generation ${answer.generation}: ${answer.spaces.map((space) => `${space.name}, ${space.apps} apps`).join("; ")}`
            : answer.error;
    } catch {
        shown.textContent = "The server does not answer.";
    }
}

show();
